"""Cost by any grouping: what each group causes itself, and what it bears of the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from costs import Shares, Sharing, Ticks, direct_cost, share_out, transfer_cost
from reports.byte_pricing import BytePricing
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
    """One group of requests: what it caused (`compute`, `network`) and `borne`, its part of what
    no request causes; ticks. `failed` is what its failed requests caused, a part of the former.

    `unmeasured` requests have no cost yet: no sample of their node is stored for their minute.
    """

    key: Key
    totals: Totals
    compute: Ticks
    network: Ticks
    failed: Ticks
    borne: Ticks
    unmeasured: int

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
    unmeasured: int = 0


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
        sums.unmeasured += part.unmeasured
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
    return [
        CostSlice(
            key, s.totals, s.compute, s.network, s.failed, Fraction(0), s.unmeasured
        )
        for key, s in found.items()
    ]  # fmt: skip


def bear(
    slices: Sequence[CostSlice],
    everything: Mapping[Key, Ticks],
    shared: Ticks,
    rule: Sharing,
    owner: Key | None,
) -> tuple[list[CostSlice], Ticks]:
    """Return `slices` with what each bears of `shared`, dearest first, and what nobody bears.

    `everything` is the direct cost by group of all requests that the machines ran for. A slice that
    is a part of its group, since a filter left others out, bears as large a part of its share.
    """
    shares: Shares[Key] = share_out(shared, everything, rule, owner)
    borne: list[CostSlice] = []
    given: Ticks = Fraction(0)
    for each in slices:
        whole = everything.get(each.key, Fraction(0))
        part = Fraction(each.direct) / whole if whole else Fraction(1)
        own = shares.of.get(each.key, Fraction(0)) * part
        given += own
        borne.append(
            CostSlice(
                each.key,
                each.totals,
                each.compute,
                each.network,
                each.failed,
                own,
                each.unmeasured,
            )
        )
    if owner is not None and owner not in {each.key for each in slices}:
        alone = shares.of.get(owner, Fraction(0))
        given += alone
        nothing = Fraction(0)
        borne.append(CostSlice(owner, Totals(), nothing, nothing, nothing, alone, 0))
    borne.sort(key=lambda each: (-each.cost, -each.totals.requests))
    return borne, shared - given


def _failed(key: Key) -> bool:
    return int(key[-1] or 0) >= 400
