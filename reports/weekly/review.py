"""The finished review of a week: all that its page, its files and its headline say.

Money is in ticks (see costs/money.py) and exact; a renderer only rounds. All instants are UTC.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from costs import TICKS_PER_USD, Components, Machine, Ticks
from reports.figures import Figures
from reports.health import PriceAge
from reports.weekly.action import Action
from reports.weekly.bridge import Bridge, Mover
from reports.weekly.week import Week
from store import Dropped, Period


@dataclass(frozen=True)
class Counted:
    """What came and what was paid for in one stretch of time.

    `cost` is None where nothing is known of it: no machine ran, or none has a price. `simulated`
    says whether some of it never ran, `simulated_requests` how many requests, and `measured`
    whether anything did run.
    """

    figures: Figures
    cost: Components | None
    simulated_requests: int = 0
    simulated: bool = False
    measured: bool = True

    @property
    def spend(self) -> Ticks | None:
        """Everything that was paid for; None where nothing is known of it."""
        return None if self.cost is None else self.cost.total

    @property
    def spend_usd(self) -> float | None:
        """`spend` in USD, to be drawn or compared."""
        return None if self.spend is None else float(Fraction(self.spend, TICKS_PER_USD))

    @property
    def usd_per_1000(self) -> float | None:
        """The spend per 1,000 successful requests; None without any, or without a known cost."""
        successes = self.figures.requests - self.figures.failures
        if self.spend_usd is None or not successes:
            return None
        return self.spend_usd * 1000 / successes

    @property
    def idle_share(self) -> float | None:
        """The part of the machine cost that no request used; None without machine cost."""
        if self.cost is None or not self.cost.machine:
            return None
        return float(Fraction(self.cost.idle) / Fraction(self.cost.machine))


@dataclass(frozen=True)
class Stretch:
    """A day, a week or a month of a trend. `counted` is None where nothing is stored of it.

    `name` is in full, `label` has room below a column. `whole` is False where it is still running
    or was not recorded from its beginning.
    """

    label: str
    name: str
    period: Period
    counted: Counted | None
    whole: bool = True

    @property
    def simulated(self) -> bool:
        """Whether some of it never ran."""
        return self.counted is not None and self.counted.simulated


@dataclass(frozen=True)
class MonthEnd:
    """What the month of the week is forecast to cost, as of the end of what is counted.

    `spent` is cumulative, day by day. `forecast_usd` is None where there is too little history:
    `days_known` of `days_needed`; where the month is `over` it is what was spent. `low_usd` and
    `high_usd` are its 10th and 90th percentile, None without a forecast. `budget_usd` is that for
    everything, None where none is set, `earlier_usd` the forecast of the same month one week
    before, None where there was none.
    """

    month: date
    spent: tuple[Ticks, ...]
    forecast_usd: Decimal | None
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None
    budget_usd: Decimal | None = None
    earlier_usd: Decimal | None = None
    over: bool = False
    days_known: int = 0
    days_needed: int = 0

    @property
    def within(self) -> bool | None:
        """Whether the forecast is within the budget; None where one of them is not known."""
        if self.forecast_usd is None or self.budget_usd is None:
            return None
        return self.forecast_usd <= self.budget_usd


@dataclass(frozen=True)
class Freshness:
    """How much of the period is stored; `newest_fact_us` is of the database, whatever the week.

    `hours_missing` are those hours of the period without a fact of any kind, `missing_before` those
    of the same part of the week before.
    """

    newest_fact_us: int
    hours: int
    hours_missing: int
    missing_before: int = 0


@dataclass(frozen=True)
class Coverage:
    """What the figures leave out: nothing, for a whole week.

    `missing_records` lack by their sequence numbers in runs of nodes that were active in the week,
    `rejected_lines` were no facts, `unmeasured_requests` have no direct cost for want of machine
    time, `unpriced_bytes` says in words what was moved or stored without a known price,
    `old_prices` are prices in force that were looked up more than a year before the week's
    end.
    """

    missing_records: int = 0
    dropped: tuple[Dropped, ...] = ()
    rejected_lines: int = 0
    unmeasured_requests: int = 0
    unpriced: tuple[Machine, ...] = ()
    unpriced_bytes: tuple[str, ...] = ()
    old_prices: tuple[PriceAge, ...] = ()

    @property
    def dropped_facts(self) -> int:
        """Facts that nodes lost in the week, by their own account."""
        return sum(node.facts for node in self.dropped)


@dataclass(frozen=True)
class PartSum:
    """The spend of the week summed up in another way: of `count` parts."""

    name: str
    count: int
    total: Ticks


@dataclass(frozen=True)
class Reconciliation:
    """The spend of the week, and the same as sums of its parts."""

    whole: Ticks
    sums: tuple[PartSum, ...]

    @property
    def exact(self) -> bool:
        """Whether every sum is the whole, to the last digit."""
        return all(part.total == self.whole for part in self.sums)


@dataclass(frozen=True)
class WeeklyReview:
    """A week, as far as it is over and stored.

    `period` is what is counted: the whole week, or what there is of one that has not `ended`.
    `now` is None where nothing is stored of it. `before` is the same part of the week before, None
    where it is not stored as far as that.
    `days` are those of both weeks, `weeks` six and `months` twelve, all up to the end of `period`.
    """

    week: Week
    ended: bool
    period: Period
    now: Counted | None
    before: Counted | None
    p99_target_ms: float
    days: tuple[Stretch, ...]
    weeks: tuple[Stretch, ...]
    months: tuple[Stretch, ...]
    freshness: Freshness
    coverage: Coverage
    reconciliation: Reconciliation
    bridge: Bridge | None = None
    movers: tuple[Mover, ...] = ()
    month_end: MonthEnd | None = None
    actions: tuple[Action, ...] = ()

    @property
    def as_of_us(self) -> int:
        """The instant that the review speaks of: the end of what is counted.

        Of a week that has not ended and of which nothing is stored it is the beginning.
        """
        known = self.ended or self.now is not None
        return self.period.to_us if known else self.period.from_us

    @property
    def spend(self) -> Ticks | None:
        """What the week cost; None where nothing is known of it."""
        return None if self.now is None else self.now.spend

    @property
    def spend_before(self) -> Ticks | None:
        """What the same part of the week before cost; None where nothing is known of it."""
        return None if self.before is None else self.before.spend

    @property
    def compares_simulated(self) -> bool:
        """Whether some of this week, or of the one it is compared with, never ran."""
        return any(one is not None and one.simulated for one in (self.now, self.before))

    @property
    def p99_met(self) -> bool | None:
        """Whether the p99 latency is within its target; None without a successful request."""
        if self.now is None or self.now.figures.p99_ms is None:
            return None
        return self.now.figures.p99_ms <= self.p99_target_ms
