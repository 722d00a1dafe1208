"""What every UTC day cost: in all, and by any grouping of requests or machines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from costs import (
    Components,
    Machine,
    PriceBook,
    Ticks,
    direct_cost,
    machine_cost,
    transfer_cost,
)
from costs.month import day_at, start_us
from reports.byte_pricing import BytePricing
from reports.costs.standing import read_standing
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
    read_uptimes,
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

    `whole` says whether facts are stored for all of it.
    """

    day: date
    cost: Components
    answered: int
    whole: bool


@dataclass(frozen=True)
class Direct:
    """What the requests of one group caused on a day, and how many of them were answered."""

    compute: Ticks = Fraction(0)
    network: Ticks = Fraction(0)
    answered: int = 0

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
    period, covered = extent.period, extent.covered
    standing = read_standing(
        source.connection, period, source.pricing, source.bytes_at, source.where
    )
    ran: dict[int, Ticks] = defaultdict(int)
    for start, _, ticks in _machine_time(source, extent):
        ran[start] += ticks
    direct = read_direct(source, extent, ()).get((), [NOTHING] * len(extent.starts))
    days = []
    for start, own in zip(extent.starts, direct, strict=True):
        paid_from, paid_to = max(start, covered[0]), min(start + DAY_US, covered[1])
        parts = Components(own.compute, own.network, idle=ran[start] - own.compute)
        days.append(
            Day(
                day=day_at(start),
                cost=parts + standing.between(paid_from, max(paid_from, paid_to)),
                answered=own.answered,
                whole=paid_to - paid_from == DAY_US,
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
            compute=direct_cost(part.busy, source.pricing.rate),
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
    for start, machine, ticks in _machine_time(source, extent):
        found[machine][start] += ticks
    return {
        machine: [by_start[start] for start in extent.starts] for machine, by_start in found.items()
    }


def loaded(direct: Sequence[Direct], days: Sequence[Day]) -> list[Ticks]:
    """Return the fully loaded cost of a group by day, given everything of the same days.

    What no request causes is shared in proportion to direct cost. On a day on which nothing has
    direct cost, nobody bears it.
    """
    return [
        own.ticks * (Fraction(day.cost.total) / day.cost.direct) if own.ticks else own.ticks
        for own, day in zip(direct, days, strict=True)
    ]


def _machine_time(source: Source, extent: Extent) -> list[tuple[int, Machine, Ticks]]:
    changes = source.pricing.catalogue.changes()
    rows = read_uptimes(source.connection, extent.period, DAY_US, changes, where=source.where)
    return [
        (row.from_us, row.time.machine, machine_cost([row.time], source.pricing.rate))
        for row in rows
    ]
