"""How long machines ran and how long requests kept them busy: what costs are derived from.

All queries are cut at `price_changes` (ascending instants, the first 0), so that every row has
one price: the one in force at its `priced_at_us`.

A filter restricts the time that requests used by all its fields, and the time that machines ran by
those of the machine only: a machine runs for all models and tenants at once, and what one of them
did not use is not idle. So idle cost is that of the machines, never that of a slice of requests.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from costs import BusyTime, Machine, MachineTime
from store.filter import EVERYTHING, MACHINE_FIELDS, Filter
from store.grouping import Grouping, Key, key_columns, key_names
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, price_begin, priced_rollup

_MACHINE = ", ".join(MACHINE_FIELDS)


@dataclass(frozen=True)
class Uptime:
    """Machines of one kind in one step. Capacity is uptime x workers ready, `busy_us` of it used.

    `cpu_busy_us` is uptime weighted by the CPU utilisation of the whole machine.
    """

    from_us: int
    time: MachineTime
    capacity_us: int
    busy_us: int
    cpu_busy_us: float
    nodes: int


def read_uptimes(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    price_changes: Sequence[int],
    *,
    where: Filter = EVERYTHING,
) -> list[Uptime]:
    """Return the machine time of `period` by step, machine and price, ascending by step.

    Of `where` only what it says of machines counts.
    """
    accepted = where.machine_condition()
    rows = connection.execute(
        f"""
        SELECT
            {STEP} AS from_us,
            {_MACHINE},
            {price_begin("at_us", period, price_changes)} AS priced_at_us,
            sum(uptime_us)::BIGINT,
            sum(capacity_us)::BIGINT,
            sum(busy_us)::BIGINT,
            sum(cpu_busy_us),
            count(DISTINCT node_id)
        FROM {priced_rollup("node", period, step_us, price_changes)}
        WHERE {IN_PERIOD} AND {accepted.sql}
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**accepted.bound, **by_step(period, step_us)},
    ).fetchall()
    return [
        Uptime(from_us, MachineTime(Machine(*machine), priced_at, uptime), capacity, busy, cpu, n)
        for from_us, *machine, priced_at, uptime, capacity, busy, cpu, n in rows
    ]


@dataclass(frozen=True)
class BusyTimes:
    """What requests used in one period, by step, and what cannot be priced yet.

    What was executed on behalf of a request is in `rows`, too. `unmeasured` counts by step the
    requests that were executed in a minute for which no sample of their node is stored (it comes
    with the next one, or was lost when the node was killed); they are in no row.
    """

    rows: list[tuple[int, BusyTime]]
    unmeasured: Mapping[int, int]


@dataclass(frozen=True)
class BusySlices:
    """As `BusyTimes`, by (beginning of step, values of the groupings)."""

    rows: Mapping[tuple[int, Key], list[BusyTime]]
    unmeasured: Mapping[tuple[int, Key], int]


def read_busy_times(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    price_changes: Sequence[int],
    *,
    where: Filter = EVERYTHING,
) -> BusyTimes:
    """Return (step, busy time) for `period`, ascending by step."""
    found = read_busy_slices(connection, period, step_us, price_changes, (), where)
    return BusyTimes(
        rows=[(from_us, time) for (from_us, _), times in found.rows.items() for time in times],
        unmeasured=Counter({from_us: n for (from_us, _), n in found.unmeasured.items()}),
    )


def read_busy_slices(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    price_changes: Sequence[int],
    by: Sequence[Grouping],
    where: Filter = EVERYTHING,
) -> BusySlices:
    """Return the busy time of `period` by step and by the groupings `by`, ascending."""
    keys, key_bound = key_columns(by)
    accepted, bound = chosen(where, *keys, _MACHINE, machines=True)
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {", ".join((f"{STEP} AS from_us", *key_names(by)))},
            {_MACHINE},
            {price_begin("at_us", period, price_changes)} AS priced_at_us,
            sum(item_us) AS item_us,
            batch_size,
            share_uptime,
            share_capacity,
            sum(requests)::BIGINT AS requests
        FROM {priced_rollup("busy", period, step_us, price_changes)}
        JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**bound, **key_bound, **by_step(period, step_us)},
    ).fetchall()
    measured: dict[tuple[int, Key], list[BusyTime]] = {}
    unmeasured: Counter[tuple[int, Key]] = Counter()
    size = len(by)
    for from_us, *row in rows:
        group = from_us, tuple(row[:size])
        *machine, priced_at, item_us, batch, uptime, capacity, requests = row[size:]
        if capacity:
            time = BusyTime(Machine(*machine), priced_at, item_us, batch, uptime, capacity)
            measured.setdefault(group, []).append(time)
        elif requests:
            unmeasured[group] += requests
    return BusySlices(measured, unmeasured)
