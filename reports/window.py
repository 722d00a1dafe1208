"""How far back a page looks, and the stretch of stored facts that this comes to."""

from dataclasses import dataclass

from store import (
    DAY_US,
    EVERYTHING,
    HOUR_US,
    MINUTE_US,
    Filter,
    Period,
    Reader,
    StoreState,
    read_resolution,
    read_state,
)

# Data older than this is not "now" any more.
FRESH_US = 3 * MINUTE_US


@dataclass(frozen=True)
class Window:
    """How far back to look, and in what steps to draw it."""

    label: str
    length_us: int
    step_us: int


WINDOWS = (
    Window("15 minutes", 15 * MINUTE_US, MINUTE_US),
    Window("1 hour", HOUR_US, MINUTE_US),
    Window("6 hours", 6 * HOUR_US, 5 * MINUTE_US),
    Window("24 hours", DAY_US, 15 * MINUTE_US),
    Window("7 days", 7 * DAY_US, HOUR_US),
    Window("30 days", 30 * DAY_US, DAY_US),
    Window("90 days", 90 * DAY_US, DAY_US),
)


@dataclass(frozen=True)
class Frame:
    """The stretch that figures are of: `period` in steps of `step_us`, and what is stored of it.

    `covered` are the first and the last instant that facts are stored for, whatever the period.
    `stale_us` is how long before now the period ends because nothing newer is stored, 0 when the
    data is fresh. Where older minutes are stored as hours, the period is of whole hours and a step
    is at least one.
    """

    state: StoreState
    period: Period
    step_us: int
    covered: tuple[int, int]
    stale_us: int

    @property
    def starts(self) -> range:
        """The beginnings of the steps."""
        return range(self.period.from_us, self.period.to_us, self.step_us)

    def covered_us(self, from_us: int, to_us: int) -> int:
        """Return how much of a stretch facts are stored for."""
        return max(0, min(to_us, self.covered[1]) - max(from_us, self.covered[0]))

    @property
    def comparable(self) -> bool:
        """Whether enough is stored of the period before for a change to mean something."""
        before = self.period.before()
        return 2 * self.covered_us(before.from_us, before.to_us) >= before.length_us


def read_frame(
    connection: Reader, window: Window | None, now_us: int, where: Filter = EVERYTHING
) -> Frame | None:
    """Return the frame of the last `window` before `now_us`, of all data in one step where None.

    Where nothing is stored of the last minutes it ends with the data. Of `where` counts only
    whether simulated runs do: where they are hidden, data are the others. Returns None when the
    database holds no fact yet.
    """
    state = read_state(connection, where)
    if state.last_fact_us is None or state.first_fact_us is None or state.end_us is None:
        return None
    stale_us = now_us - state.last_fact_us
    fresh = stale_us <= FRESH_US and window is not None
    end_us = _up(now_us if fresh else state.end_us, MINUTE_US)
    if window is None:
        period = whole(connection, Period(_down(state.first_fact_us, MINUTE_US), end_us))
        step_us = period.length_us
    else:
        # The window before is looked at, too: it has to be as finely stored to be compared with.
        both = Period(end_us - 2 * window.length_us, end_us)
        hours = window.step_us >= HOUR_US or _by_hour(connection, both)
        unit_us = HOUR_US if hours else MINUTE_US
        if window.step_us % DAY_US == 0:
            # Whole days are read as days, which is many times faster.
            unit_us = DAY_US
        to_us = _up(end_us, unit_us)
        period = Period(to_us - max(window.length_us, unit_us), to_us)
        step_us = max(window.step_us, unit_us)
    return Frame(
        state=state,
        period=period,
        step_us=step_us,
        covered=(state.first_fact_us, state.covered_to_us or state.last_fact_us),
        stale_us=stale_us if stale_us > FRESH_US else 0,
    )


def whole(connection: Reader, period: Period) -> Period:
    """Return `period`, widened to whole hours where its minutes are stored as hours."""
    unit_us = HOUR_US if _by_hour(connection, period) else MINUTE_US
    return Period(_down(period.from_us, unit_us), _up(period.to_us, unit_us))


def of_requests(where: Filter) -> bool:
    """Return whether `where` says anything of requests, and not of machines alone."""
    return where != where.machines()


def _by_hour(connection: Reader, period: Period) -> bool:
    # An hour stands at its beginning, which may lie before the stretch it is a part of.
    looked_at = Period(_down(period.from_us, HOUR_US), period.to_us)
    return read_resolution(connection, looked_at) >= HOUR_US


def _down(instant_us: int, unit_us: int) -> int:
    return instant_us // unit_us * unit_us


def _up(instant_us: int, unit_us: int) -> int:
    return -(-instant_us // unit_us) * unit_us
