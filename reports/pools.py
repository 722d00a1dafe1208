"""Pools: machines of one kind on one UTC day at one price; what they cost and executed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from costs import BusyTime, Machine, MachineTime, Ticks, direct_cost, machine_cost
from costs.variance import Execution, Pool
from reports.pricing import Pricing
from store import (
    DAY_US,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    read_breakdown,
    read_uptimes,
)


class PoolKey(NamedTuple):
    """`day_us` is when the day began; the price is 0 where none is known."""

    day_us: int
    machine: Machine
    micro_usd_per_hour: int


@dataclass
class Group:
    """What requests of one group had executed, pool by pool, and how many there were."""

    requests: int = 0
    on: dict[PoolKey, Execution] = field(default_factory=dict)

    @property
    def direct(self) -> dict[PoolKey, Ticks]:
        """Direct machine cost by pool."""
        return {pool: execution.direct for pool, execution in self.on.items()}


def read_pools(
    connection: Reader, period: Period, pricing: Pricing, where: Filter
) -> dict[PoolKey, Pool]:
    """Return the pools of `period`, with all that they cost; of `where` counts what machines are.

    Days at the ends of `period` count as far as they lie in it.
    """
    changes = pricing.catalogue.changes()
    found: dict[PoolKey, Pool] = {}
    for piece in by_day(period):
        for row in read_uptimes(connection, piece, DAY_US, changes, where=where):
            key = _key(row.from_us, row.time, pricing)
            known = found.get(key, Pool(0, 0))
            cost = machine_cost([row.time], pricing.rate)
            found[key] = Pool(known.cost + cost, known.capacity_us + row.capacity_us)
    return found


def read_groups(
    connection: Reader, period: Period, by: Sequence[Grouping], pricing: Pricing, where: Filter
) -> dict[Key, Group]:
    """Return what the groups of `period` had executed.

    Requests without machine time yet, since no sample of their node is stored for their minute,
    are counted without work.
    """
    changes = pricing.catalogue.changes()
    found: dict[Key, Group] = defaultdict(Group)
    for piece in by_day(period):
        for part in read_breakdown(
            connection, piece, by, changes, step_us=DAY_US, where=where, latency=False
        ):
            group = found[part.key]
            group.requests += part.totals.requests
            group.on |= executions(part.from_us, part.busy, pricing)
    return dict(found)


def idle_by_pool(pools: Mapping[PoolKey, Pool], groups: Iterable[Group]) -> dict[PoolKey, Ticks]:
    """Return what of each pool no group of requests used; `groups` are of all requests."""
    idle: dict[PoolKey, Ticks] = {key: pool.cost for key, pool in pools.items()}
    for group in groups:
        for key, cost in group.direct.items():
            idle[key] = idle.get(key, 0) - cost
    return idle


def executions(
    from_us: int, times: Iterable[BusyTime], pricing: Pricing
) -> dict[PoolKey, Execution]:
    """Return what was executed in a step that begins at `from_us` and lies in one day, by pool."""
    by_pool: dict[PoolKey, list[BusyTime]] = defaultdict(list)
    for time in times:
        if time.item_us:
            by_pool[_key(from_us, time, pricing)].append(time)
    return {
        key: Execution(
            direct=direct_cost(own, pricing.rate),
            busy_us=sum((Fraction(t.item_us, t.batch_size) for t in own), Fraction(0)),
        )
        for key, own in by_pool.items()
    }


def by_day(period: Period) -> Iterator[Period]:
    """Yield `period` in at most three pieces, of which steps of a day lie in one day each."""
    first_us = min(-(-period.from_us // DAY_US) * DAY_US, period.to_us)
    last_us = max(period.to_us // DAY_US * DAY_US, first_us)
    cuts = (period.from_us, first_us, last_us, period.to_us)
    for from_us, to_us in pairwise(cuts):
        if from_us < to_us:
            yield Period(from_us, to_us)


def _key(from_us: int, time: MachineTime | BusyTime, pricing: Pricing) -> PoolKey:
    price = pricing.rate(time.machine, time.priced_at_us)
    return PoolKey(from_us - from_us % DAY_US, time.machine, price)
