"""The change of cost between two periods: drivers, what came and went, and the top movers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from costs import Components, Ticks
from costs.variance import Mover, Variance, explain_change, top_movers
from reports.pools import read_pools
from reports.pricing import Pricing
from reports.variance.usages import read_usages
from store import By, Filter, Grouping, Key, Period, Reader

MOST_MOVERS = 5
UNUSED = "unused_machines"


@dataclass(frozen=True)
class VarianceReport:
    """Why one period did not cost what another did.

    `variance` is by model; beside the drivers its lines have machines on which nothing was
    executed, and what is no machine time: network, storage, cache, commitments that were not used.
    `movers` are the largest changes of machine cost by each dimension. The same money is in every
    dimension, so movers of two of them are never added up.
    """

    variance: Variance[Key]
    movers: Mapping[Grouping, tuple[Mover[Key], ...]]


def read_variance(
    connection: Reader,
    before: Period,
    period: Period,
    pricing: Pricing,
    where: Filter,
    beside: tuple[Components, Components],
    by: Sequence[Grouping] = (By.MODEL,),
) -> VarianceReport:
    """Return why `period` did not cost what `before` did, with the movers by each of `by`.

    `beside` is what the two cost, of which only what is no machine time counts; of `where` counts
    what it says of machines. What has no price costs nothing and stands in `pricing.missing`.
    """
    machines = where.machines()
    ran = {each: read_pools(connection, each, pricing, machines) for each in (before, period)}
    found: dict[Grouping, Variance[Key]] = {}
    for grouping in dict.fromkeys((By.MODEL, *by)):
        was, came = (
            read_usages(connection, each, pools, grouping, pricing, machines)
            for each, pools in ran.items()
        )
        lines = {UNUSED: (was.unused, came.unused)}
        if grouping is By.MODEL:
            lines |= _beside(*beside)
        found[grouping] = explain_change(was.usages, came.usages, lines)
    movers = {each: top_movers(found[each].contributions, MOST_MOVERS) for each in by}
    return VarianceReport(found[By.MODEL], movers)


def _beside(was: Components, came: Components) -> dict[str, tuple[Ticks, Ticks]]:
    return {
        "network": (was.network, came.network),
        "storage": (was.storage, came.storage),
        "cache": (was.cache, came.cache),
        "commitment": (was.commitment, came.commitment),
    }
