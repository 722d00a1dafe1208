"""A budget for a calendar month, and how the month stands against it. Money is exact.

    burn rate = share of the budget that is spent / share of the month that is over

1 is a month that ends at its budget, 2 one that has spent it half way through.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from costs.backtest import Band
from costs.forecast import DayCost, Forecast
from costs.money import TICKS_PER_USD, Ticks
from costs.month import Month
from costs.sharing import Sharing

LONGEST_NAME = 128
MOST_USD = 10**12
MOST_PLACES = 6
MOST_PERCENT = 1_000
USUAL_THRESHOLDS = (50, 80, 100)
IDLE_RULES = (Sharing.PROPORTIONAL, Sharing.SEPARATE)


class BudgetError(ValueError):
    """A budget that cannot be; the message names field, value and what is accepted."""


class Scope(StrEnum):
    """What a budget is for."""

    EVERYTHING = "everything"
    TENANT = "tenant"
    MODEL = "model"
    LABEL = "label"


@dataclass(frozen=True)
class Budget:
    """USD for each month from `first` to `last`, both included; None for no such end.

    `value` names the tenant, the model, or the value of the label `label`. `thresholds` are percent
    of the budget, ascending. With `idle` proportional, what is spent is fully loaded: direct cost
    and a share of idle cost in proportion to it, day by day; with separate it is direct cost alone.
    A budget for everything is for all that was paid: nothing of it is left out. Raises BudgetError.
    """

    scope: Scope
    usd_per_month: Decimal
    value: str = ""
    label: str = ""
    first: Month | None = None
    last: Month | None = None
    thresholds: tuple[int, ...] = USUAL_THRESHOLDS
    idle: Sharing = Sharing.PROPORTIONAL

    def __post_init__(self) -> None:
        _require_name("label", self.label, wanted=self.scope is Scope.LABEL)
        _require_name("value", self.value, wanted=self.scope is not Scope.EVERYTHING)
        _require_amount(self.usd_per_month)
        if self.first is not None and self.last is not None and self.last < self.first:
            raise BudgetError(f"to is {self.last}; accepted: {self.first}, which is from, or later")
        percents = self.thresholds
        in_range = all(1 <= percent <= MOST_PERCENT for percent in percents)
        if not in_range or list(percents) != sorted(set(percents)):
            raise BudgetError(
                f"thresholds_percent is {' '.join(map(str, percents))!r}; accepted: whole percent "
                f"from 1 to {MOST_PERCENT}, ascending, each once"
            )
        if self.idle not in IDLE_RULES:
            raise BudgetError(f"idle is {self.idle.value!r}; accepted: {', '.join(IDLE_RULES)}")
        if self.scope is Scope.EVERYTHING and self.idle is not Sharing.PROPORTIONAL:
            raise BudgetError(
                f"idle is {self.idle.value!r}; accepted for everything: proportional, which is all "
                "of it"
            )

    @property
    def what(self) -> tuple[Scope, str, str]:
        """What it is for: scope, label and value. Budgets of one thing do not share a month."""
        return self.scope, self.label, self.value

    @property
    def name(self) -> str:
        """What it is for, in words: everything, tenant shop, label team checkout."""
        return " ".join(filter(None, (self.scope.value, self.label, self.value)))

    @property
    def ticks(self) -> Ticks:
        """The amount of a month in ticks."""
        return Fraction(self.usd_per_month) * TICKS_PER_USD

    def holds_in(self, month: Month) -> bool:
        """Return whether there is this budget in `month`."""
        return (self.first is None or self.first <= month) and (
            self.last is None or month <= self.last
        )


class Taken:
    """Which months are taken by budgets: one thing has one budget in a month."""

    def __init__(self) -> None:
        self._budgets: dict[tuple[Scope, str, str], list[Budget]] = {}

    def add(self, budget: Budget) -> None:
        """Take the months of `budget`. Raises BudgetError where one of them is taken."""
        same = self._budgets.setdefault(budget.what, [])
        if any(_overlap(budget, other) for other in same):
            raise BudgetError(
                f"two budgets for {budget.name} share a month; accepted: one for each month, so "
                "let the first end before the second begins"
            )
        same.append(budget)


def require_one_each(budgets: Iterable[Budget]) -> None:
    """Raise BudgetError where two budgets of one thing share a month."""
    taken = Taken()
    for budget in budgets:
        taken.add(budget)


class State(StrEnum):
    """How a month stands, from best to worst; UNKNOWN where there is too little history."""

    UNKNOWN = "unknown"
    WITHIN = "within"
    MAY_EXCEED = "may exceed"
    WILL_EXCEED = "will exceed"
    EXCEEDED = "exceeded"


@dataclass(frozen=True)
class BudgetStatus:
    """A month against its budget; `forecast` is made of `days`, the cost of what it is for."""

    budget: Budget
    forecast: Forecast
    days: Sequence[DayCost]

    @property
    def spent(self) -> Ticks:
        """Spent in the month so far, exactly."""
        return self.forecast.spent

    @property
    def spent_share(self) -> Fraction:
        """The part of the budget that is spent, exactly; above 1 it is exceeded."""
        return Fraction(self.spent) / self.budget.ticks

    @property
    def left(self) -> Ticks:
        """What is left of the budget; negative where it is exceeded."""
        return self.budget.ticks - self.spent

    @property
    def elapsed(self) -> Fraction:
        """The part of the month that is over, exactly."""
        return self.forecast.month.elapsed(self.forecast.as_of_us)

    @property
    def burn_rate(self) -> Fraction | None:
        """`spent_share` over `elapsed`; None at the first instant of a month."""
        return self.spent_share / self.elapsed if self.elapsed else None

    @property
    def month_end(self) -> Band | None:
        """What the month is forecast to cost; None where there is too little history."""
        return self.forecast.month_end

    @property
    def crossed(self) -> tuple[int, ...]:
        """The thresholds that are reached, in percent."""
        return tuple(t for t in self.budget.thresholds if 100 * self.spent_share >= t)

    @property
    def state(self) -> State:
        """EXCEEDED is of money spent; WILL_EXCEED says P50 of the month's end, MAY_EXCEED P90."""
        if self.spent > self.budget.ticks:
            return State.EXCEEDED
        end = self.month_end
        if end is None:
            return State.UNKNOWN
        amount = float(self.budget.usd_per_month)
        if end.mid > amount:
            return State.WILL_EXCEED
        return State.MAY_EXCEED if end.high > amount else State.WITHIN

    @property
    def exceeded_on(self) -> date | None:
        """The day on which it was exceeded, exactly; None where it is not."""
        total: Ticks = Fraction(0)
        month = self.forecast.month
        for day in sorted(self.days, key=lambda cost: cost.day):
            if month.first_day <= day.day < month.end_day:
                total += day.ticks
                if total > self.budget.ticks:
                    return day.day
        return None

    @property
    def expected_on(self) -> date | None:
        """The day on which P50 of the forecast exceeds it; None where it does not, or has been."""
        if self.spent > self.budget.ticks:
            return None
        amount = float(self.budget.usd_per_month)
        path = self.forecast.path
        return next((point.day for point in path if point.month_to_date.mid > amount), None)


def _require_name(field: str, text: str, *, wanted: bool) -> None:
    if not wanted and text:
        raise BudgetError(f"{field} is {text!r}; accepted for this scope: nothing")
    if wanted and not text.strip():
        raise BudgetError(f"{field} is empty; a name is required for this scope")
    if text != text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        raise BudgetError(
            f"{field} is {text[:LONGEST_NAME]!r}; accepted: at most {LONGEST_NAME} printable "
            "characters, no space at either end"
        )


def _require_amount(usd: Decimal) -> None:
    exponent = usd.as_tuple().exponent
    # Of what is no number the exponent is a letter.
    whole = isinstance(exponent, int) and exponent >= -MOST_PLACES
    if not whole or not 0 < usd < MOST_USD:
        raise BudgetError(
            f"usd_per_month is {usd}; accepted: above 0 and below {MOST_USD:,}, "
            f"at most {MOST_PLACES} decimals"
        )


def _overlap(one: Budget, two: Budget) -> bool:
    ends_before = one.last is not None and two.first is not None and one.last < two.first
    begins_after = one.first is not None and two.last is not None and two.last < one.first
    return not ends_before and not begins_after
