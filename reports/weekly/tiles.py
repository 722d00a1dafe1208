"""The five figures at the top of the review, the same ones every week."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from costs import Ticks
from reports.change import (
    NOTHING_BEFORE,
    Change,
    Polarity,
    points_change,
    relative_change,
)
from reports.figures import Figures
from reports.formatting import DASH, count, duration_ms, percent, usd
from reports.tile import Detail, Tile
from reports.weekly.amount import spell_ticks, spell_usd, ticks_usd
from reports.weekly.review import WeeklyReview

LOWER = Polarity.LOWER_IS_BETTER
DAYS_TO_DRAW = "The line is its course over the days of both weeks."


@dataclass(frozen=True)
class WeeklyTiles:
    """A review read as tiles."""

    review: WeeklyReview

    def row(self) -> list[Tile]:
        """Return the five tiles in reading order."""
        return [
            self._spend(),
            self._unit_cost(),
            self._idle_share(),
            self._latency(),
            self._month_end(),
        ]

    def _trend(self, figure: Callable[[Figures], float | None]) -> list[float | None]:
        return [None if day.figures is None else figure(day.figures) for day in self.review.days]

    def _figure(self, name: str) -> tuple[float | None, float | None]:
        """Return a figure of this week and of the week before."""
        found = (self.review.now, self.review.before)
        now, before = (None if one is None else getattr(one, name) for one in found)
        return now, before

    def _spend(self) -> Tile:
        review = self.review
        before = review.spend_before
        return Tile(
            key="spend",
            label="Spend",
            value=spell_ticks(review.spend),
            unit="USD",
            definition=f"What the machines of the week cost, idle time included. {DAYS_TO_DRAW}",
            change=relative_change(_usd(review.spend), _usd(before), LOWER),
            trend=self._trend(lambda day: ticks_usd(day.cost.machine)),
            details=(
                Detail("week before", spell_ticks(before)),
                Detail("requests", count(review.now.requests if review.now else 0)),
            ),
        )

    def _unit_cost(self) -> Tile:
        now, before = self._figure("usd_per_1000")
        found = self.review.now
        return Tile(
            key="unit-cost",
            label="Cost per 1,000 requests",
            value=usd(now),
            unit="USD",
            definition="All machine cost, idle time included, divided by the successful requests, "
            f"times 1,000. {DAYS_TO_DRAW}",
            change=relative_change(now, before, LOWER),
            trend=self._trend(lambda day: day.usd_per_1000),
            details=(
                Detail("week before", usd(before)),
                Detail("successful", count(found.requests - found.failures if found else 0)),
            ),
        )

    def _idle_share(self) -> Tile:
        now, before = self._figure("idle_share")
        idle = None if self.review.now is None else self.review.now.cost.idle
        return Tile(
            key="idle-share",
            label="Idle share",
            value=percent(now),
            unit="",
            definition=f"The part of the spend that no request used. {DAYS_TO_DRAW}",
            change=points_change(now, before, LOWER),
            trend=self._trend(lambda day: day.idle_share),
            details=(
                Detail("week before", percent(before)),
                Detail("idle cost, USD", spell_ticks(idle if now is not None else None)),
            ),
        )

    def _latency(self) -> Tile:
        now, before = self._figure("p99_ms")
        value, unit = duration_ms(now)
        target = f"{self.review.p99_target_ms:g} ms"
        return Tile(
            key="latency-p99",
            label="Latency p99",
            value=value,
            unit=unit,
            definition="99 of 100 successful requests were answered within this time, from arrival "
            f"to ready response. {DAYS_TO_DRAW}",
            change=relative_change(now, before, LOWER),
            trend=self._trend(lambda day: day.p99_ms),
            details=(
                Detail("week before", " ".join(duration_ms(before)).strip()),
                Detail("target", target, self.review.p99_met),
            ),
        )

    def _month_end(self) -> Tile:
        found = self.review.month_end
        month: date = self.review.week.sunday if found is None else found.month
        definition = (
            "What the whole month is forecast to cost, as of the end of the week; the change is "
            "against the forecast of the week before. The line is what was spent, day by day."
        )
        label = f"{month:%B} forecast"
        if found is None:
            detail = Detail("budget", DASH)
            return Tile("month-end", label, DASH, "USD", definition, NOTHING_BEFORE, [], (detail,))
        forecast, budget = found.forecast_usd, found.budget_usd
        kept = None if budget is None else forecast <= budget
        earlier = None if found.earlier_usd is None else float(found.earlier_usd)
        change: Change = relative_change(float(forecast), earlier, LOWER)
        detail = Detail("budget", "none set")
        if budget is not None:
            detail = Detail("budget", spell_usd(budget), kept)
        likely = DASH
        if found.low_usd is not None and found.high_usd is not None:
            likely = f"{spell_usd(found.low_usd)} to {spell_usd(found.high_usd)}"
        return Tile(
            key="month-end",
            label=label,
            value=spell_usd(forecast),
            unit="USD",
            definition=definition,
            change=change,
            trend=[float(usd) for usd in found.spent_usd],
            details=(Detail("likely", likely), detail),
        )


def _usd(ticks: Ticks | None) -> float | None:
    return None if ticks is None else ticks_usd(ticks)
