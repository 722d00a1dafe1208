"""What forecasts of earlier days would have been, and how wrong: the width of today's forecast.

On each evening of the past, as if nothing after it were known, the days that followed are forecast
and compared with what became of them. An error is what was missing, as a share of the forecast.
What is forecast is what is usual (costs/weekly_level.py), and a level that changed and stays counts
from its third day on (costs/deviation.py).
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import sqrt
from statistics import median

from costs.deviation import Watch
from costs.weekly_level import LEVEL_DAYS

MOST_AHEAD = 31
LEAST_ERRORS = 7
# The fewest known days that a forecast rests on: two weeks to learn from, a week of errors, and a
# week in which these became known.
LEAST_DAYS = LEVEL_DAYS + 2 * LEAST_ERRORS
# So many stretches side by side, and errors speak for each side and for a lasting bias by half.
TRUSTED_STRETCHES = 8
LOW, HIGH, INSIDE = 0.1, 0.9, 0.8
# Where every week is the same, the range is a point: sums of floats are off by such a part.
LOST = 1e-9


@dataclass(frozen=True)
class Band:
    """P10, P50 and P90 of an amount in USD: figures of a forecast, never of money spent."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Past:
    """What would have been said on the evening of `day` of the days after it, and what became."""

    day: date
    said: Band
    became: float

    @property
    def held(self) -> bool:
        """Whether P10 to P90 held what became, but for what floats lose."""
        return self.said.low * (1 - LOST) <= self.became <= self.said.high * (1 + LOST)


@dataclass(frozen=True)
class Score:
    """How forecasts of `days_ahead` days in all would have done, asked every evening, ascending.

    Neighbours overlap: together they say as much as those that are `apart` from each other.
    """

    days_ahead: int
    past: tuple[Past, ...]

    @property
    def coverage(self) -> float | None:
        """The share that P10 to P90 held, 0.8 if all is well; None while there is none."""
        return sum(p.held for p in self.past) / len(self.past) if self.past else None

    @property
    def apart(self) -> int:
        """How many of these forecasts fit side by side: what the score rests on."""
        return -(-len(self.past) // self.days_ahead) if self.past else 0

    @property
    def median_error(self) -> float | None:
        """The median of |P50 - became| / became; None where nothing was ever spent."""
        shares = [abs(p.said.mid - p.became) / p.became for p in self.past if p.became > 0]
        return median(shares) if shares else None


class Backtest:
    """Forecasts of a daily series from each of its evenings.

    `values` are USD by day from `first_day` on, None where a day is not known.
    """

    def __init__(self, first_day: date, values: Sequence[float | None]) -> None:
        self._first_day = first_day
        self._sums = _running_sums(values)
        # By the number of days known: sums of the forecast for 0, 1, ... days after them.
        self._said: dict[int, list[float]] = {}
        watch = Watch(first_day.weekday())
        for known, value in enumerate(values, 1):
            watch.see(value)
            if known >= LEVEL_DAYS:
                ahead = [watch.day(day) or 0.0 for day in range(MOST_AHEAD)]
                self._said[known] = list(accumulate(ahead, initial=0.0))
        self._days = len(values)
        self._errors = [self._errors_ahead(days) for days in range(MOST_AHEAD + 1)]
        enough = [d for d in range(1, MOST_AHEAD + 1) if len(self._errors[d]) >= LEAST_ERRORS]
        self.days_ahead = max(enough, default=0) if self._enough(self._days) else 0
        """For how many days ahead there are errors to judge by; 0 for not enough history."""

    def expected(self, day: int) -> float:
        """Return what is to be expected of the day `day` days after the next one."""
        said = self._said[self._days]
        return said[day + 1] - said[day]

    def spread(self, days: int) -> Band:
        """Return the range of the sum of the next `days` days, as factors of what is expected.

        Where history is too short for errors of so many days, those of fewer are widened as those
        of a random walk would grow.
        """
        judged = min(days, self.days_ahead)
        errors = _Errors(self._errors[judged].values())
        return errors.spread(judged, sqrt(days / judged))

    def score(self, days: int) -> Score:
        """Return what forecasts of `days` days, at most `days_ahead`, were worth.

        Each knows only the errors that had become known by its own evening.
        """
        days = min(days, self.days_ahead)
        errors, past = _Errors(), []
        for known, said in self._said.items():
            became = self._became(known, days)
            if known - days in self._errors[days]:
                errors.add(self._errors[days][known - days])
            if became is not None and errors.count >= LEAST_ERRORS and self._enough(known):
                by = errors.spread(days, 1.0)
                band = Band(*(said[days] * factor for factor in (by.low, by.mid, by.high)))
                past.append(Past(self._first_day + timedelta(known - 1), band, became))
        return Score(days, tuple(past))

    def _enough(self, known: int) -> bool:
        """Return whether the first `known` days are a history to forecast from."""
        return known - self._sums[known][1] >= LEAST_DAYS

    def _errors_ahead(self, days: int) -> dict[int, float]:
        found = {}
        for known, said in self._said.items():
            became = self._became(known, days)
            if became is not None:
                found[known] = _error(said[days], became)
        return found

    def _became(self, known: int, days: int) -> float | None:
        """Return the sum of the `days` days after the first `known`; None if one is not known."""
        if known + days > self._days:
            return None
        (before, gaps), (after, gaps_after) = self._sums[known], self._sums[known + days]
        return after - before if gaps == gaps_after else None


class _Errors:
    """Errors of forecasts, kept in order."""

    def __init__(self, errors: Iterable[float] = ()) -> None:
        self._errors = sorted(errors)
        self._sizes = sorted(abs(error) for error in self._errors)

    @property
    def count(self) -> int:
        return len(self._errors)

    def add(self, error: float) -> None:
        insort(self._errors, error)
        insort(self._sizes, abs(error))

    def spread(self, days: int, wider: float) -> Band:
        """Return P10, P50, P90 as factors of a forecast of `days` days; `wider` widens them.

        The quantiles of few, overlapping errors would be far too close. So as long as there are
        few stretches side by side, the range reaches the same way up and down, by the size that 8
        of 10 errors keep below, and P50 is the forecast itself. The more there are, the more the
        range is that of the errors on each side, and P50 corrects their median.
        """
        stretches = len(self._errors) / days
        trust = stretches / (stretches + TRUSTED_STRETCHES)
        few = wider * _student(stretches + 1)
        size = _quantile(self._sizes, INSIDE)
        bias = trust * _quantile(self._errors, 0.5)
        below = max(0.0, bias - _quantile(self._errors, LOW))
        above = max(0.0, _quantile(self._errors, HIGH) - bias)
        low = 1 + bias - few * ((1 - trust) * size + trust * below)
        high = 1 + bias + few * ((1 - trust) * size + trust * above)
        return Band(max(0.0, low), max(0.0, 1 + bias), max(0.0, high))


def _student(degrees: float) -> float:
    """Return by how much P90 of Student's t is farther out than that of the normal distribution.

    First terms of the series in Abramowitz and Stegun, 26.7.5, at 1.2816.
    """
    return 1 + 0.661 / degrees + 0.446 / degrees**2


def _error(said: float, became: float) -> float:
    if said > 0:
        return became / said - 1
    # Nothing was expected: wrong by all that came, or right.
    return 1.0 if became > 0 else 0.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _running_sums(values: Sequence[float | None]) -> list[tuple[float, int]]:
    """Return (sum, days not known) of the first 0, 1, ... values."""
    sums = [(0.0, 0)]
    for value in values:
        total, gaps = sums[-1]
        sums.append((total, gaps + 1) if value is None else (total + value, gaps))
    return sums
