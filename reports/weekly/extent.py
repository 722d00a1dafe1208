"""Which part of a week is counted, and with which part of the week before it is compared."""

from dataclasses import dataclass

from reports.weekly.week import WEEK_US, Week
from store import HOUR_US, MINUTE_US, Period, StoreState

# A week of which less is recorded is not compared with: spend is a sum, and half a week is cheap.
ENOUGH = 0.9


@dataclass(frozen=True)
class Extent:
    """The `period` of a week that is counted and the same part of the week `before`.

    A week that has not `ended` is counted in whole hours, since older facts are stored by the hour;
    within its first hour, in minutes. `covered` are the first instant that facts are stored for and
    the one after the last. `comparable` says whether enough of `before` is stored.
    """

    week: Week
    period: Period
    before: Period
    ended: bool
    covered: tuple[int, int]
    comparable: bool

    def covered_us(self, period: Period) -> int:
        """Return how much of a period facts are stored for."""
        return max(0, min(period.to_us, self.covered[1]) - max(period.from_us, self.covered[0]))

    def whole(self, period: Period) -> bool:
        """Return whether facts are stored for all of a period."""
        return self.covered_us(period) == period.length_us


def extent_of(week: Week, state: StoreState, now_us: int) -> Extent | None:
    """Return what is counted of `week` as of `now_us`; None where the database holds no fact."""
    if state.first_fact_us is None or state.end_us is None:
        return None
    covered = state.first_fact_us, state.covered_to_us or state.end_us
    full = week.period
    ended = full.to_us <= now_us
    period = full if ended else _so_far(full, min(covered[1], now_us))
    before = Period(period.from_us - WEEK_US, period.to_us - WEEK_US)
    found = Extent(week, period, before, ended, covered, comparable=False)
    minutes = period.length_us % HOUR_US
    enough = found.covered_us(before) >= ENOUGH * before.length_us
    return Extent(week, period, before, ended, covered, comparable=enough and not minutes)


def _so_far(full: Period, covered_to_us: int) -> Period:
    """Return the part of a running week that is over and stored; all of it where nothing is."""
    for unit_us in (HOUR_US, MINUTE_US):
        to_us = min(covered_to_us // unit_us * unit_us, full.to_us)
        if to_us > full.from_us:
            return Period(full.from_us, to_us)
    return full
