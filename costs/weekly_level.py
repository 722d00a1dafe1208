"""What a day usually comes to: a level times the shape of a week, learnt from the days before.

Forecasts and the search for anomalies both rest on it (docs/decisions/0018-forecasts.md):

- the factor of a day is its value over the mean of the seven days that end with it, so each weekday
  is in that mean once; the factor of a weekday is the median of its last eight
- the level is the mean of the last fourteen days, each over the factor of its weekday, without the
  highest and the lowest fifth

A spike moves neither by much; a level that stays is followed within two weeks. A weekday that is
odd two weeks running is the usual from then on. Figures are floats: this is statistics, and none of
it is added to money that was spent.
"""

from collections import deque
from statistics import fmean, median

WEEK = 7
LEVEL_DAYS = 14
FACTORS_KEPT = 8
WEEKS_ODD = 2
CUT_SHARE = 0.2
# A weekday on which next to nothing is spent says nothing of the level.
SMALLEST_FACTOR = 0.02
# Beside a level of next to nothing: what is divided by it has to stay a number.
LARGEST_FACTOR = 1e9


class WeeklyLevel:
    """Learns one day after the other; knows nothing of the days to come."""

    def __init__(self, weekday: int) -> None:
        """`weekday` is that of the first day: 0 for Monday."""
        self._next = weekday % WEEK
        self._recent: deque[tuple[int, float | None]] = deque(maxlen=LEVEL_DAYS)
        self._factors: list[deque[float]] = [deque(maxlen=FACTORS_KEPT) for _ in range(WEEK)]
        self._medians: list[float | None] = [None] * WEEK
        self._shape = [1.0] * WEEK
        self._level: float | None = None
        # Of each weekday: its factors when it was last odd, and, while it was not seen since the
        # level changed, what it comes to if that changed by as much on each day.
        self._odd: list[list[float]] = [[] for _ in range(WEEK)]
        self._added: list[float | None] = [None] * WEEK

    @property
    def level(self) -> float | None:
        """The value of a day on average over a week; None while no day is known."""
        return self._level

    @property
    def quiet(self) -> bool:
        """Whether nothing came in the last days but zeros."""
        return not any(value for _, value in self._recent)

    @property
    def added(self) -> float | None:
        """What the next day comes to if its level changed by as much on each weekday.

        None where the weekday was seen since the level changed.
        """
        return self._added[self._next]

    def day(self, ahead: int = 0) -> float | None:
        """Return the value to be expected `ahead` days after the next one."""
        if self._level is None:
            return None
        return self._level * self._shape[(self._next + ahead) % WEEK]

    def add(self, value: float | None) -> None:
        """Learn the value of the next day; None where it is not known."""
        weekday = self._next
        self._recent.append((weekday, value))
        if value is not None:
            self._odd[weekday].clear()
            week = [v for _, v in list(self._recent)[-WEEK:] if v is not None]
            if len(week) == WEEK and sum(week) > 0:
                self._learn([value / fmean(week)])
        self._go_on()

    def add_odd(self, value: float) -> None:
        """Pass over the value of the next day, which was not as usual, as if it had been.

        A weekday that was odd the same way two weeks running is the usual from then on, and after
        one week where it was not seen since the level changed.
        """
        weekday = self._next
        usual, odd = self._shape[weekday], self._odd[weekday]
        self._recent.append((weekday, self.day()))
        if self._level:
            factor = min(value / self._level, LARGEST_FACTOR)
            if odd and (odd[-1] > usual) != (factor > usual):
                odd.clear()
            odd.extend([factor] * (WEEKS_ODD if self._added[weekday] is not None else 1))
        self._go_on()

    def settle(self, level: float) -> None:
        """Take `level` as that of the last days: it changed, and what was before does not count."""
        before = self._level or 0.0
        weekdays = [weekday for weekday, _ in self._recent]
        self._recent.clear()
        self._recent.extend((weekday, level * self._shape[weekday]) for weekday in weekdays)
        self._level = level
        self._added = [max(0.0, level + before * (factor - 1)) for factor in self._shape]
        for factors in (*self._factors, *self._odd):
            factors.clear()

    def factor(self, ahead: int = 0) -> float:
        """Return the factor of the weekday `ahead` days after the next one; their mean is 1."""
        return self._shape[(self._next + ahead) % WEEK]

    def _learn(self, factors: list[float]) -> None:
        weekday = self._next
        self._factors[weekday].extend(factors)
        self._medians[weekday] = median(self._factors[weekday])
        self._shape = _mean_of_one(self._medians)

    def _go_on(self) -> None:
        self._added[self._next] = None
        self._next = (self._next + 1) % WEEK
        odd = self._odd[self._next]
        if len(odd) >= WEEKS_ODD:
            # Not sooner: days that are odd together may be a level that changes.
            self._factors[self._next].clear()
            self._learn(odd)
            self._rescale()
            odd.clear()
        self._level = self._recent_level()

    def _rescale(self) -> None:
        """Let factors be those of a week whose mean is 1 again, or those to come would not fit."""
        mean = fmean(factor for factor in self._medians if factor is not None) or 1.0
        self._medians = [None if factor is None else factor / mean for factor in self._medians]
        for factors in self._factors:
            for place in range(len(factors)):
                factors[place] /= mean

    def _recent_level(self) -> float | None:
        levels = sorted(
            value / self._shape[weekday]
            for weekday, value in self._recent
            if value is not None and self._shape[weekday] > SMALLEST_FACTOR
        )
        cut = int(CUT_SHARE * len(levels))
        kept = levels[cut : len(levels) - cut]
        return fmean(kept) if kept else None


def _mean_of_one(medians: list[float | None]) -> list[float]:
    known = [factor for factor in medians if factor is not None]
    total = sum(known)
    if total <= 0:
        return [1.0] * WEEK
    usual = total / len(known)
    factors = [usual if factor is None else factor for factor in medians]
    return [factor / usual for factor in factors]
