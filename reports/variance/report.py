"""The change of cost between two periods: drivers, what came and went, and the top movers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from costs import Components, Machine, PriceBook, Ticks, transfer_cost
from costs.variance import Mover, Variance, explain_change, top_movers
from reports.byte_pricing import BytePricing
from reports.costs.standing import read_standing
from reports.pricing import Pricing
from reports.variance.usages import PeriodPools, read_pools, read_usages
from reports.window import of_requests
from store import (
    EVERYTHING,
    By,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    open_reader,
    read_state,
    read_transfers,
)

DIMENSIONS: tuple[Grouping, ...] = (By.MODEL, By.TENANT, By.REGION, By.INSTANCE_TYPE)
MOST_MOVERS = 5
UNUSED = "unused_machines"


@dataclass(frozen=True)
class VarianceReport:
    """Why the cost of `period` is not that of `before`.

    `variance` is by model; beside the drivers its lines have machines on which nothing was
    executed, and what is no machine time: network, storage, cache, commitments that were not used.
    `movers` are the largest changes of machine cost by each dimension. The same money is in every
    dimension, so movers of two of them are never added up. `unmeasured` requests of the two periods
    have no cost yet, `unpriced` machines and bytes are in no sum.
    """

    before: Period
    period: Period
    where: Filter
    variance: Variance[Key]
    movers: Mapping[Grouping, tuple[Mover[Key], ...]]
    unmeasured: tuple[int, int]
    unpriced: tuple[Machine, ...]
    unpriced_bytes: tuple[str, ...]


def load_variance(
    database: Path,
    book: PriceBook,
    before: Period,
    period: Period,
    where: Filter = EVERYTHING,
    by: Sequence[Grouping] = DIMENSIONS,
) -> VarianceReport | None:
    """Return why the cost of `period` is not that of `before`, with movers by each of `by`.

    Where `where` speaks of requests, they bear a part of idle time in proportion to direct cost,
    and nothing of what belongs to no machine. Returns None when the database holds no fact yet.
    Raises StoreErrors.
    """
    pricing, bytes_at = Pricing(book.machines), BytePricing(book)
    with open_reader(database) as connection:
        state = read_state(connection)
        if state.end_us is None:
            return None
        covered_to_us = state.covered_to_us or state.end_us
        beside = [
            read_beside(connection, stretch, pricing, bytes_at, where, covered_to_us)
            for stretch in (before, period)
        ]
        return read_variance(
            connection, before, period, pricing, where, (beside[0], beside[1]), by,
            tuple(sorted(bytes_at.missing)),
        )  # fmt: skip


def read_variance(
    connection: Reader,
    before: Period,
    period: Period,
    pricing: Pricing,
    where: Filter,
    beside: tuple[Components, Components],
    by: Sequence[Grouping] = DIMENSIONS,
    unpriced_bytes: tuple[str, ...] = (),
) -> VarianceReport:
    """Return the same from an open database; `beside` is what the two periods cost.

    Only what is no machine time counts of it.
    """
    ran = [read_pools(connection, stretch, pricing, where) for stretch in (before, period)]
    found: dict[Grouping, Variance[Key]] = {}
    unmeasured = (0, 0)
    for grouping in dict.fromkeys((By.MODEL, *by)):
        others = _others(beside) if grouping is By.MODEL else {}
        found[grouping], unmeasured = _variance(connection, ran, grouping, pricing, where, others)
    return VarianceReport(
        before=before,
        period=period,
        where=where,
        variance=found[By.MODEL],
        movers={each: top_movers(found[each].contributions, MOST_MOVERS) for each in by},
        unmeasured=unmeasured,
        unpriced=tuple(sorted(pricing.missing)),
        unpriced_bytes=unpriced_bytes,
    )


def read_beside(
    connection: Reader,
    period: Period,
    pricing: Pricing,
    bytes_at: BytePricing,
    where: Filter,
    covered_to_us: int,
) -> Components:
    """Return what is paid for in `period` beside machine time, up to the newest fact."""
    changes = bytes_at.book.changes()
    moved = read_transfers(connection, period, period.length_us, changes, where=where)
    network = transfer_cost(moved.get((period.from_us, ()), []), bytes_at.moved)
    if of_requests(where):
        return Components(network=network)
    standing = read_standing(connection, period, pricing, bytes_at, where)
    to_us = max(period.from_us, min(period.to_us, covered_to_us))
    return Components(network=network) + standing.between(period.from_us, to_us)


def _variance(
    connection: Reader,
    ran: Sequence[PeriodPools],
    by: Grouping,
    pricing: Pricing,
    where: Filter,
    others: Mapping[str, tuple[Ticks, Ticks]],
) -> tuple[Variance[Key], tuple[int, int]]:
    (was, late_was), (came, late_came) = (
        read_usages(connection, pools, by, pricing, where) for pools in ran
    )
    lines = {UNUSED: (was.unused, came.unused), **others}
    return explain_change(was.usages, came.usages, lines), (late_was, late_came)


def _others(beside: tuple[Components, Components]) -> dict[str, tuple[Ticks, Ticks]]:
    was, came = beside
    return {
        "network": (was.network, came.network),
        "storage": (was.storage, came.storage),
        "cache": (was.cache, came.cache),
        "commitment": (was.commitment, came.commitment),
    }
