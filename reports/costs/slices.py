"""Cost by any grouping: what each group causes itself, and what it bears of idle time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from costs import Shares, Sharing, Ticks, direct_cost, share_idle, transfer_cost
from reports.byte_pricing import BytePricing
from reports.pools import idle_by_pool, read_groups, read_pools
from reports.pricing import Pricing
from store import (
    By,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    Totals,
    read_breakdown,
    read_transfers,
)


@dataclass(frozen=True)
class CostSlice:
    """One group of requests: what it caused (`compute`, `network`) and `borne`, its part of idle
    time; ticks. `failed` is what its failed requests caused, a part of the former.
    """

    key: Key
    totals: Totals = field(default_factory=Totals)
    compute: Ticks = Fraction(0)
    network: Ticks = Fraction(0)
    failed: Ticks = Fraction(0)
    borne: Ticks = Fraction(0)

    @property
    def direct(self) -> Ticks:
        """What its requests caused themselves."""
        return self.compute + self.network

    @property
    def cost(self) -> Ticks:
        """Fully loaded: what it caused, and what it bears."""
        return self.direct + self.borne

    def per_1000(self, cost: Ticks) -> Ticks | None:
        """Return a cost of this slice per 1,000 successful requests, None without any."""
        return Fraction(cost) * 1000 / self.totals.successes if self.totals.successes else None

    def per_million_tokens(self, cost: Ticks) -> Ticks | None:
        """Return a cost of this slice per million tokens, in and out; None without any."""
        tokens = self.totals.input_tokens + self.totals.output_tokens
        return Fraction(cost) * 10**6 / tokens if tokens else None


@dataclass
class _Sums:
    totals: Totals = field(default_factory=Totals)
    compute: Ticks = Fraction(0)
    network: Ticks = Fraction(0)
    failed: Ticks = Fraction(0)


def read_slices(
    connection: Reader,
    period: Period,
    by: Sequence[Grouping],
    pricing: Pricing,
    bytes_at: BytePricing,
    where: Filter,
) -> list[CostSlice]:
    """Return the slices of `period` by `by` with their direct cost, bearing nothing yet."""
    detailed = (*by, By.STATUS)
    found: dict[Key, _Sums] = {}
    changes = pricing.catalogue.changes()
    for part in read_breakdown(connection, period, detailed, changes, where=where, latency=False):
        sums = found.setdefault(part.key[:-1], _Sums())
        compute = direct_cost(part.busy, pricing.rate)
        sums.totals += part.totals
        sums.compute += compute
        if _failed(part.key):
            sums.failed += compute
    moved = read_transfers(
        connection, period, period.length_us, bytes_at.book.changes(), detailed, where=where
    )
    for (_, key), transfers in moved.items():
        sums = found.setdefault(key[:-1], _Sums())
        network = transfer_cost(transfers, bytes_at.moved)
        sums.network += network
        if _failed(key):
            sums.failed += network
    return [CostSlice(key, s.totals, s.compute, s.network, s.failed) for key, s in found.items()]


def read_shares(
    connection: Reader,
    period: Period,
    by: Sequence[Grouping],
    pricing: Pricing,
    where: Filter,
    rule: Sharing,
    owner: Key | None,
    idle: Ticks,
) -> Shares[Key]:
    """Return who bears the idle time of `period`, `idle` in all; `where` speaks of machines alone.

    Where the rule does not ask who executed where, nothing is read.
    """
    if rule in (Sharing.SEPARATE, Sharing.OWNER):
        return share_idle({(): idle}, {}, rule, owner)
    pools = read_pools(connection, period, pricing, where)
    groups = read_groups(connection, period, by, pricing, where)
    direct = {key: group.direct for key, group in groups.items()}
    return share_idle(idle_by_pool(pools, groups.values()), direct, rule, owner)


def bear(slices: Sequence[CostSlice], shares: Shares[Key]) -> list[CostSlice]:
    """Return `slices` with what each bears of idle time, dearest first.

    An owner that has no slice gets one.
    """
    nothing = Fraction(0)
    known = {each.key for each in slices}
    others = (CostSlice(key) for key, cost in shares.of.items() if cost and key not in known)
    return dearest_first(
        replace(each, borne=shares.of.get(each.key, nothing)) for each in (*slices, *others)
    )


def parts_of(own: Sequence[CostSlice], groups: Sequence[CostSlice]) -> list[CostSlice]:
    """Return `own`, slices from which a filter left requests out, with what each bears.

    That is as large a part of what its whole group in `groups` bears as it has of the direct cost
    of the group; of its requests, where the group has no direct cost.
    """
    by_key = {each.key: each for each in groups}
    borne = []
    for each in own:
        group = by_key[each.key]
        part, whole = (
            (each.direct, group.direct)
            if group.direct
            else (each.totals.requests, group.totals.requests)
        )
        share = Fraction(part) / whole if whole else Fraction(0)
        borne.append(replace(each, borne=group.borne * share))
    return dearest_first(borne)


def dearest_first(slices: Iterable[CostSlice]) -> list[CostSlice]:
    """Return `slices` by their cost, those of the same cost by their requests."""
    return sorted(slices, key=lambda each: (-each.cost, -each.totals.requests))


def _failed(key: Key) -> bool:
    return int(key[-1] or 0) >= 400
