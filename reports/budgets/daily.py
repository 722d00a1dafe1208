"""What every UTC day cost: in all, and by any grouping of requests or machines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from costs import (
    Components,
    Cost,
    Machine,
    PriceBook,
    Ticks,
    transfer_cost,
)
from costs.month import Month, day_at, start_us
from reports.byte_pricing import BytePricing
from reports.costs.standing import read_standing
from reports.pools import PoolKey, executions, read_pools
from reports.pricing import Pricing
from store import (
    DAY_US,
    ByLabel,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    StoreState,
    read_breakdown,
    read_transfers,
)

# Levels, shapes of weeks and errors of forecasts all come from less; more only takes time.
MOST_DAYS = 400
# As many as a filter takes, and to spare.
VALUES_AT_ONCE = 100


@dataclass(frozen=True)
class Extent:
    """Whole days to look at, and the first and the last instant that facts are stored for."""

    period: Period
    covered: tuple[int, int]

    @property
    def starts(self) -> range:
        """The beginnings of the days."""
        return range(self.period.from_us, self.period.to_us, DAY_US)

    @property
    def first_day(self) -> date:
        """The first of the days."""
        return day_at(self.period.from_us)

    @property
    def running(self) -> bool:
        """Whether facts are stored for a part of the last day only."""
        return self.covered[1] < self.period.to_us

    def day(self, place: int) -> "Extent":
        """Return one of the days, counted from 0."""
        from_us = self.period.from_us + place * DAY_US
        return Extent(Period(from_us, from_us + DAY_US), self.covered)

    def last(self, days: int) -> "Extent":
        """Return the last so many of the days, all where there are not as many."""
        from_us = max(self.period.from_us, self.period.to_us - days * DAY_US)
        return Extent(Period(from_us, self.period.to_us), self.covered)


@dataclass(frozen=True)
class Day:
    """What a day cost and how many requests were answered.

    `whole` says whether facts are stored for all of it. `before`, of the day of the first fact, is
    what time alone (storage, caches, commitments) cost in its month until then. `pools` is what
    machines of one kind at one price cost, and what of that requests caused.
    """

    day: date
    cost: Components
    answered: int
    whole: bool
    before: Ticks = Fraction(0)
    pools: Mapping[PoolKey, Cost] = field(default_factory=dict)

    @property
    def charged(self) -> Ticks:
        """What the day adds to its month."""
        return self.cost.total + self.before


@dataclass(frozen=True)
class Direct:
    """What the requests of one group caused on a day, and how many of them were answered.

    `on` is their machine time by pool, `network` their bytes.
    """

    on: Mapping[PoolKey, Ticks] = field(default_factory=dict)
    network: Ticks = Fraction(0)
    answered: int = 0

    @property
    def compute(self) -> Ticks:
        """Machine time."""
        return sum(self.on.values(), Fraction(0))

    @property
    def ticks(self) -> Ticks:
        """Machine time and bytes."""
        return self.compute + self.network


NOTHING = Direct()


@dataclass(frozen=True)
class Source:
    """An open database, the prices, and which runs of nodes count.

    What has no price costs 0 and stands in `pricing` and `bytes_at`.
    """

    connection: Reader
    pricing: Pricing
    bytes_at: BytePricing
    where: Filter

    def only(self, by: Grouping, values: Sequence[str | None]) -> "Source":
        """Return the source of the requests that have one of `values` alone."""
        if isinstance(by, ByLabel):
            where = replace(self.where, label=tuple((by.name, value) for value in values))
        else:
            only: dict[str, Any] = {by.value: tuple(values)}
            where = replace(self.where, **only)
        return replace(self, where=where)


def source_of(connection: Reader, book: PriceBook, where: Filter) -> Source:
    """Return the source of `connection` with prices of its own to remember what is missing."""
    return Source(connection, Pricing(book.machines), BytePricing(book), where)


def extent_of(state: StoreState, end: date | None = None) -> Extent | None:
    """Return the days that facts are stored for, up to and without `end` where it is given.

    Returns None where none is stored before it.
    """
    first_us, last_us = state.first_fact_us, state.covered_to_us or state.last_fact_us
    if first_us is None or last_us is None:
        return None
    end_us = last_us if end is None else min(last_us, start_us(end))
    if end_us <= first_us:
        return None
    to_us = -(-end_us // DAY_US) * DAY_US
    from_us = max(first_us // DAY_US * DAY_US, to_us - MOST_DAYS * DAY_US)
    return Extent(Period(from_us, to_us), (first_us, end_us))


def read_days(source: Source, extent: Extent) -> list[Day]:
    """Return every day of `extent`, with all that was paid for.

    A day without a fact is one on which no machine ran.
    """
    covered = extent.covered
    month_us = start_us(Month.at(covered[0]).first_day)
    paid = Period(min(month_us, extent.period.from_us), extent.period.to_us)
    standing = read_standing(source.connection, paid, source.pricing, source.bytes_at, source.where)
    ran: dict[int, dict[PoolKey, Ticks]] = defaultdict(dict)
    for pool, paid_for in _machine_time(source, extent).items():
        ran[pool.day_us][pool] = paid_for
    direct = read_direct(source, extent, ()).get((), [NOTHING] * len(extent.starts))
    before = standing.between(month_us, covered[0]).total
    days = []
    for start, own in zip(extent.starts, direct, strict=True):
        paid_from, paid_to = max(start, covered[0]), min(start + DAY_US, covered[1])
        machines = sum(ran[start].values(), Fraction(0))
        parts = Components(own.compute, own.network, idle=machines - own.compute)
        days.append(
            Day(
                day=day_at(start),
                cost=parts + standing.between(paid_from, max(paid_from, paid_to)),
                answered=own.answered,
                whole=paid_to - paid_from == DAY_US,
                before=before if start <= covered[0] else Fraction(0),
                pools={
                    pool: Cost(paid_for, own.on.get(pool, Fraction(0)))
                    for pool, paid_for in ran[start].items()
                },
            )
        )
    return days


def read_direct(source: Source, extent: Extent, by: Sequence[Grouping]) -> dict[Key, list[Direct]]:
    """Return the days of `extent` for each group: what its requests caused."""
    found: dict[Key, dict[int, Direct]] = defaultdict(dict)
    changes = source.pricing.catalogue.changes()
    moved = read_transfers(
        source.connection,
        extent.period,
        DAY_US,
        source.bytes_at.book.changes(),
        by,
        where=source.where,
    )
    for part in read_breakdown(
        source.connection,
        extent.period,
        by,
        changes,
        step_us=DAY_US,
        where=source.where,
        latency=False,
    ):
        sent = moved.get((part.from_us, part.key), [])
        found[part.key][part.from_us] = Direct(
            on={
                pool: execution.direct
                for pool, execution in executions(part.from_us, part.busy, source.pricing).items()
            },
            network=transfer_cost(sent, source.bytes_at.moved),
            answered=part.totals.successes,
        )
    return {
        key: [by_start.get(start, NOTHING) for start in extent.starts]
        for key, by_start in found.items()
    }


def read_groups(
    source: Source, extent: Extent, by: Grouping, values: Sequence[str | None]
) -> dict[str | None, list[Direct]]:
    """Return the days of `extent` for some values of one grouping, whatever else there is.

    A value that never occurs is left out.
    """
    found: dict[str | None, list[Direct]] = {}
    for place in range(0, len(values), VALUES_AT_ONCE):
        some = values[place : place + VALUES_AT_ONCE]
        groups = read_direct(source.only(by, some), extent, (by,))
        found |= {key[0]: days for key, days in groups.items()}
    return found


def read_machines(source: Source, extent: Extent) -> Mapping[Machine, list[Ticks]]:
    """Return the days of `extent` for each kind of machine: what it cost, idle time included."""
    found: dict[Machine, dict[int, Ticks]] = defaultdict(lambda: defaultdict(int))
    for pool, ticks in _machine_time(source, extent).items():
        found[pool.machine][pool.day_us] += ticks
    return {
        machine: [by_start[start] for start in extent.starts] for machine, by_start in found.items()
    }


def loaded(direct: Sequence[Direct], days: Sequence[Day]) -> list[Ticks]:
    """Return the fully loaded cost of a group by day, given everything of the same days.

    Idle time of a pool is borne in proportion to the direct cost on it, as by `share_idle`.
    """
    nothing: Ticks = Fraction(0)
    return [
        sum((ticks * day.pools[pool].loading for pool, ticks in own.on.items()), nothing)
        + own.network
        for own, day in zip(direct, days, strict=True)
    ]


def _machine_time(source: Source, extent: Extent) -> dict[PoolKey, Ticks]:
    pools = read_pools(source.connection, extent.period, source.pricing, source.where)
    return {pool: machines.cost for pool, machines in pools.items()}
