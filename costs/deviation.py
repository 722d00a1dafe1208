"""Days of a series that are not as usual: far from what the days before them led one to expect.

What is usual is a level times the shape of a week (costs/weekly_level.py); how far days usually are
from it is the median of the last residuals, so neither is moved by what is looked for. A day is
judged by the days before it alone: what is said of it today is said of it for ever.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

from costs.weekly_level import LEVEL_DAYS, WEEK, WeeklyLevel

LEAST_DAYS = 4 * WEEK
RESIDUALS_KEPT = 8 * WEEK
# Deviations are of so many robust standard deviations, and of such a share of what is usual: on a
# machine that always costs the same, a change of 1 % would be of a hundred.
LEAST_SCORE = 4.0
LEAST_CHANGE = 0.15
SMALLEST_SPREAD = 0.03
MOST_SCORE = 99.0
# The median of the size of a normal residual is its standard deviation over this.
NORMAL = 1.4826
# Days that deviate the same way within a week, those between them going halfway, are one deviation;
# on the third it is the new usual.
SAME_DAYS = WEEK
DAYS_TO_SETTLE = 3
# On the cheapest days of a week a change is measured against a part of the level instead.
SMALLEST_USUAL = 0.25


@dataclass(frozen=True)
class Usual:
    """What a day usually comes to, and between which values it is no deviation."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Deviation:
    """A deviation: first on the day `first`, last on `last`, both counted from 0.

    `actual`, `usual` and `score`, in robust standard deviations, are those of the first day. It
    `stays` when it went on for three days and counts as usual from then on.
    """

    first: int
    last: int
    actual: float
    usual: Usual
    score: float
    stays: bool = False

    @property
    def up(self) -> bool:
        """Whether it is above what is usual."""
        return self.actual > self.usual.value


@dataclass(frozen=True)
class Watched:
    """What was usual on each day, None where there were too few days before it, and deviations."""

    usual: tuple[Usual | None, ...]
    deviations: tuple[Deviation, ...]


def watch(first_day: date, values: Sequence[float | None], running: float | None = None) -> Watched:
    """Return which days of `values`, from `first_day` on, deviate; None is a day not known.

    `running` is what a day that still runs, the one after `values`, has come to so far: it deviates
    once it is beyond what is usual for a whole day. Days of zero before the first cost are no
    history.
    """
    watch = Watch(first_day.weekday())
    for value in values:
        watch.see(value)
    if running is not None:
        watch.see_running(running)
    return Watched(tuple(watch.usual), tuple(watch.found))


class Watch:
    """Goes through a series day by day, from a day of `weekday`, 0 for Monday.

    `usual` and `found` are as `Watched` has them. `part` says that it is a part of something that
    was there from the beginning: its zeros before its first cost are days like others.
    """

    def __init__(self, weekday: int, *, part: bool = False) -> None:
        self.usual: list[Usual | None] = []
        self.found: list[Deviation] = []
        self._level = WeeklyLevel(weekday)
        self._residuals: deque[float] = deque(maxlen=RESIDUALS_KEPT)
        self._known = 0
        self._part = part
        # Of the deviation that may go on: the level before it, how many days of it, the levels that
        # all days since point to, and those of the days since its last one.
        self._before = 0.0
        self._days = 0
        self._levels: list[float] = []
        self._since: list[float] = []

    def day(self, ahead: int = 0) -> float | None:
        """Return what is to be expected `ahead` days after the next one; None without any day."""
        return self._level.day(ahead)

    def see(self, value: float | None) -> None:
        """Judge and learn the next day; None where it is not known."""
        usual = self._usual_today()
        self.usual.append(usual)
        if value is None or (value == 0 and not (self._known or self._part)):
            self._level.add(None)
            return
        self._known += 1
        if usual is None or usual.low <= value <= usual.high:
            self._learn(value)
        else:
            self._deviates(value, usual)

    def see_running(self, value: float) -> None:
        """Judge the next day by what it has come to so far."""
        usual = self._usual_today()
        self.usual.append(usual)
        if usual is not None and value > usual.high and not self._goes_on(up=True):
            self.found.append(self._deviation(value, usual))

    def _usual_today(self) -> Usual | None:
        expected, level = self._level.day(), self._level.level
        if expected is None or level is None or self._known < LEAST_DAYS:
            return None
        if level == 0 and not self._level.quiet:
            # Now and then something among zeros: there is no usual.
            return None
        reach = self._reach() * max(expected, SMALLEST_USUAL * level)
        # As long as a weekday was not seen since the level changed, it is not known whether that
        # scaled the week or added as much to each of its days, as machines that always run do.
        also = expected if self._level.added is None else self._level.added
        low, high = min(expected, also) - reach, max(expected, also) + reach
        return Usual(expected, max(0.0, low), high)

    def _spread(self) -> float:
        return max(SMALLEST_SPREAD, NORMAL * median(map(abs, self._residuals or [0.0])))

    def _reach(self) -> float:
        return max(LEAST_SCORE * self._spread(), LEAST_CHANGE)

    def _learn(self, value: float) -> None:
        expected, level = self._level.day(), self._level.level
        if expected is not None and level and self._known > LEVEL_DAYS:
            self._residuals.append((value - expected) / max(expected, SMALLEST_USUAL * level))
        self._note(value)
        self._level.add(value)

    def _deviates(self, value: float, usual: Usual) -> None:
        today = len(self.usual) - 1
        if self._goes_on(up=value > usual.high):
            self._days += 1
            self.found[-1] = replace(self.found[-1], last=today)
        else:
            self.found.append(self._deviation(value, usual))
            self._before, self._days, self._levels = self._level.level or 0.0, 1, []
        self._note(value)
        self._since = []
        # As if the day had been as usual, or it would hide the next one.
        self._level.add_odd(value)
        if self._days == DAYS_TO_SETTLE:
            self._level.settle(median(self._levels) if self._levels else value)
            self.found[-1] = replace(self.found[-1], stays=True)
            self._days, self._levels = 0, []

    def _goes_on(self, *, up: bool) -> bool:
        if not self.found:
            return False
        last = self.found[-1]
        if up != last.up or len(self.usual) - 1 - last.last > SAME_DAYS:
            return False
        between = median(self._since) - self._before if self._since else None
        halfway = LEAST_CHANGE / 2 * self._before
        return between is None or (between > halfway if up else between < -halfway)

    def _note(self, value: float) -> None:
        factor = self._level.factor()
        if self._days and factor >= SMALLEST_USUAL:
            self._levels.append(value / factor)
            self._since.append(value / factor)

    def _deviation(self, value: float, usual: Usual) -> Deviation:
        today = len(self.usual) - 1
        unit = self._spread() * max(usual.value, SMALLEST_USUAL * (self._level.level or 0.0))
        score = min(MOST_SCORE, abs(value - usual.value) / unit) if unit else MOST_SCORE
        return Deviation(today, today, value, usual, score)
