"""What the month will have cost at its end: spent so far, exactly, and a forecast of the rest.

The rest is the level of the last weeks times the shape of a week (costs/weekly_level.py); its P10
to P90 come from the errors that the same forecast would have made before (costs/backtest.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from costs.backtest import LEAST_DAYS, Backtest, Band, Score
from costs.money import TICKS_PER_USD, Ticks
from costs.month import DAY_US, Month, day_at, start_us


@dataclass(frozen=True)
class DayCost:
    """What a UTC day cost, in ticks. It is not `whole` where facts are stored for a part of it."""

    day: date
    ticks: Ticks
    whole: bool = True


@dataclass(frozen=True)
class Outlook:
    """What the month is forecast to have cost at the end of `day`, what is spent included."""

    day: date
    month_to_date: Band


@dataclass(frozen=True)
class Forecast:
    """A month as of `as_of_us`. `spent` is exact and counts whatever is known of the month.

    `path` has the day that runs and each after it, up to the end of the month. It is empty where
    there is not enough history: `days_known` whole days since the first with a cost, where
    `days_needed` are needed. Errors are those of forecasts of `judged_ahead` days; where the month
    has more to come, the range is widened. `score` is None where `path` is empty.
    """

    month: Month
    as_of_us: int
    spent: Ticks
    path: tuple[Outlook, ...]
    days_known: int
    days_needed: int
    judged_ahead: int
    score: Score | None

    @property
    def month_end(self) -> Band | None:
        """The cost of the whole month; None where there is not enough history."""
        return self.path[-1].month_to_date if self.path else None

    @property
    def days_ahead(self) -> int:
        """How many days are forecast, the one that runs included."""
        return (self.month.end_day - day_at(self.as_of_us)).days


def forecast_month(days: Sequence[DayCost], as_of_us: int) -> Forecast:
    """Return the forecast of the month that `as_of_us` (microseconds, UTC) lies in.

    `days` are what is known up to then, in any order. A day that is missing is not known, which is
    not the same as a day that cost nothing. Days before the first with a cost are passed over.
    Raises ValueError for a day that stands there twice or comes after `as_of_us`, and for a
    negative cost.
    """
    month, today = Month.at(as_of_us), day_at(as_of_us)
    by_day = _by_day(days, today)
    spent = sum((day.ticks for day in by_day.values() if day.day >= month.first_day), Fraction(0))
    first, values = _history(by_day, today)
    tested = Backtest(first, values)
    known = sum(value is not None for value in values)
    enough = tested.days_ahead > 0
    left = (month.end_day - today).days
    return Forecast(
        month=month,
        as_of_us=as_of_us,
        spent=spent,
        path=_path(tested, month, as_of_us, spent) if enough else (),
        days_known=known,
        days_needed=LEAST_DAYS,
        judged_ahead=min(left, tested.days_ahead) if enough else 0,
        score=tested.score(left) if enough else None,
    )


def _by_day(days: Sequence[DayCost], today: date) -> dict[date, DayCost]:
    by_day: dict[date, DayCost] = {}
    for cost in days:
        if cost.day in by_day:
            raise ValueError(f"day {cost.day} stands there twice; accepted: each day once")
        if cost.day > today:
            raise ValueError(f"day is {cost.day}; accepted: up to {today}, the day of as_of_us")
        if cost.ticks < 0:
            raise ValueError(f"cost of {cost.day} is {cost.ticks} ticks; accepted: 0 or more")
        by_day[cost.day] = cost
    return by_day


def _history(by_day: dict[date, DayCost], today: date) -> tuple[date, list[float | None]]:
    """Return the whole days from the first with a cost up to yesterday, in USD."""
    whole = {day: cost for day, cost in by_day.items() if cost.whole and day < today}
    first = min((day for day, cost in whole.items() if cost.ticks), default=today)
    usd: list[float | None] = []
    for place in range((today - first).days):
        cost = whole.get(first + timedelta(place))
        usd.append(None if cost is None else float(Fraction(cost.ticks, TICKS_PER_USD)))
    return first, usd


def _path(tested: Backtest, month: Month, as_of_us: int, spent: Ticks) -> tuple[Outlook, ...]:
    today = day_at(as_of_us)
    spent_usd = float(Fraction(spent, TICKS_PER_USD))
    rest_of_today = 1 - (as_of_us - start_us(today)) / DAY_US
    path: list[Outlook] = []
    expected, reached = 0.0, Band(spent_usd, spent_usd, spent_usd)
    for ahead in range((month.end_day - today).days):
        expected += tested.expected(ahead) * (rest_of_today if ahead == 0 else 1)
        by = tested.spread(ahead + 1)
        # A month never costs less at the end of a day than at the end of the one before.
        reached = Band(
            max(reached.low, spent_usd + expected * by.low),
            max(reached.mid, spent_usd + expected * by.mid),
            max(reached.high, spent_usd + expected * by.high),
        )
        path.append(Outlook(today + timedelta(ahead), reached))
    return tuple(path)
