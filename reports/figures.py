"""The figures of one stretch of time: from counts, histograms and exact costs to what is shown."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from costs import TICKS_PER_USD, Cost, Ticks, to_usd
from store import quantile_us

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


@dataclass(frozen=True)
class Facts:
    """What was counted in one stretch of time. Facts of disjoint stretches add up.

    `latency` counts successful requests by histogram bucket; `covered_us` is how much of the
    stretch the data covers; `busy_us` of `capacity_us` worker-microseconds were spent executing.
    `cost` is that of machines and of everything executed on them. Where the requests counted are
    only some of theirs, `others` is the part of its direct cost that the rest owns.
    """

    covered_us: int
    requests: int
    failures: int
    latency: Counter[int]
    capacity_us: int
    busy_us: int
    cost: Cost
    others: Ticks = 0

    def __add__(self, other: "Facts") -> "Facts":
        return Facts(
            self.covered_us + other.covered_us,
            self.requests + other.requests,
            self.failures + other.failures,
            self.latency + other.latency,
            self.capacity_us + other.capacity_us,
            self.busy_us + other.busy_us,
            Cost(self.cost.machine + other.cost.machine, self.cost.direct + other.cost.direct),
            self.others + other.others,
        )


NOTHING = Facts(0, 0, 0, Counter(), 0, 0, Cost(0, Fraction(0)))


@dataclass(frozen=True)
class Figures:
    """What a person reads. A figure is None where its denominator is zero.

    `usd_per_1000` is all machine cost, idle included, per 1,000 successful requests; None for a
    slice of the requests, to which idle cost does not belong without an allocation.
    `direct_usd_per_1000` is the direct cost of the requests counted, per 1,000 successful ones.
    `cost`, `spend_usd_per_hour`, `utilization` and `idle_share` are those of the machines and of
    everything executed on them; `others` is the direct cost that is not of the requests counted.
    """

    requests: int
    failures: int
    cost: Cost
    spend_usd_per_hour: float | None
    usd_per_1000: float | None
    requests_per_s: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    utilization: float | None
    idle_share: float | None
    error_rate: float | None
    direct_usd_per_1000: float | None = None
    others: Ticks = 0

    @property
    def own_direct(self) -> Ticks:
        """Direct cost of the requests counted, in ticks."""
        return self.cost.direct - self.others

    @property
    def own_usd(self) -> Decimal:
        """Direct cost of the requests counted."""
        return to_usd(self.own_direct)

    @property
    def own_share(self) -> float | None:
        """The part of the machine cost that the requests counted own directly."""
        return _ratio(float(self.own_direct), float(self.cost.machine))

    @property
    def own_usd_per_hour(self) -> float | None:
        """The part of `spend_usd_per_hour` that the requests counted own; None as that is."""
        if self.spend_usd_per_hour is None or self.own_share is None:
            return None
        return self.spend_usd_per_hour * self.own_share

    @property
    def others_usd_per_hour(self) -> float | None:
        """The part of `spend_usd_per_hour` that the other requests own; None as that is."""
        direct, own = self.direct_usd_per_hour, self.own_usd_per_hour
        return None if direct is None or own is None else max(0.0, direct - own)

    @property
    def machine_usd(self) -> Decimal:
        """Machine cost of the stretch."""
        return to_usd(self.cost.machine)

    @property
    def idle_usd_per_hour(self) -> float | None:
        """The part of `spend_usd_per_hour` that no request owns; None where nothing was spent."""
        if self.spend_usd_per_hour is None or self.idle_share is None:
            return None
        return self.spend_usd_per_hour * self.idle_share

    @property
    def direct_usd_per_hour(self) -> float | None:
        """The part of `spend_usd_per_hour` that requests own; None where nothing was spent."""
        idle = self.idle_usd_per_hour
        if self.spend_usd_per_hour is None or idle is None:
            return None
        return self.spend_usd_per_hour - idle


def figures(facts: Iterable[Facts], *, sliced: bool = False) -> Figures:
    """Return the figures of all `facts` together: counts are added, quantiles come from buckets.

    `sliced` says that the requests counted are not all of those that the machines ran for.
    """
    total = sum(facts, NOTHING)
    usd = float(Fraction(total.cost.machine) / TICKS_PER_USD)
    own_usd = float(Fraction(total.cost.direct - total.others) / TICKS_PER_USD)
    successes = total.requests - total.failures
    return Figures(
        requests=total.requests,
        failures=total.failures,
        cost=total.cost,
        spend_usd_per_hour=_ratio(usd, total.covered_us / HOUR_US),
        usd_per_1000=_ratio(usd, successes / 1000) if total.cost.machine and not sliced else None,
        requests_per_s=_ratio(total.requests, total.covered_us / SECOND_US),
        p50_ms=_quantile_ms(total.latency, 0.50),
        p95_ms=_quantile_ms(total.latency, 0.95),
        p99_ms=_quantile_ms(total.latency, 0.99),
        utilization=_ratio(total.busy_us, total.capacity_us),
        idle_share=_ratio(float(total.cost.idle), float(total.cost.machine)),
        error_rate=_ratio(total.failures, total.requests),
        direct_usd_per_1000=_ratio(own_usd, successes / 1000) if total.cost.machine else None,
        others=total.others,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _quantile_ms(counts: Counter[int], q: float) -> float | None:
    value = quantile_us(counts, q)
    return None if value is None else value / 1000
