"""How long machines ran and how long requests kept them busy: what costs are derived from.

Both queries are cut at `price_changes` (ascending instants, the first 0), so that every row has
one price: the one in force at its `priced_at_us`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from costs import BusyTime, Machine, MachineTime
from store.period import Period

_STEP = "minute_us - (minute_us - $from) % $step"
_PRICED_AT = "list_max(list_filter($changes, lambda begin: begin <= minute_us))"


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
) -> list[Uptime]:
    """Return the machine time of `period` by step, machine and price, ascending by step."""
    rows = connection.execute(
        f"""
        SELECT
            {_STEP} AS from_us,
            cloud, region, instance_type, purchase_option,
            {_PRICED_AT} AS priced_at_us,
            sum(uptime_us)::BIGINT,
            sum(capacity_us)::BIGINT,
            sum(busy_us)::BIGINT,
            sum(cpu_busy_us),
            count(DISTINCT node_id)
        FROM node_minute
        WHERE minute_us >= $from AND minute_us < $to
        GROUP BY ALL
        ORDER BY ALL
        """,
        _bound(period, step_us, price_changes),
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


def read_busy_times(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    price_changes: Sequence[int],
) -> BusyTimes:
    """Return (step, busy time) for `period`, ascending by step."""
    rows = connection.execute(
        f"""
        SELECT
            {_STEP} AS from_us,
            cloud, region, instance_type, purchase_option,
            {_PRICED_AT} AS priced_at_us,
            sum(item_us) AS item_us,
            batch_size,
            uptime_us // gcd(uptime_us, capacity_us) AS uptime_us,
            capacity_us // gcd(uptime_us, capacity_us) AS capacity_us,
            sum(requests)::BIGINT AS requests
        FROM usage_minute
        JOIN dimension_set USING (dimension_id)
        LEFT JOIN node_minute USING (minute_us, node_id, boot_id)
        WHERE minute_us >= $from AND minute_us < $to AND item_us > 0
        GROUP BY ALL
        ORDER BY ALL
        """,
        _bound(period, step_us, price_changes),
    ).fetchall()
    measured = [row for row in rows if row[-2]]
    unmeasured: Counter[int] = Counter()
    for row in rows:
        if not row[-2] and row[-1]:
            unmeasured[row[0]] += row[-1]
    return BusyTimes(
        rows=[
            (from_us, BusyTime(Machine(*machine), priced_at, item_us, batch, uptime, capacity))
            for from_us, *machine, priced_at, item_us, batch, uptime, capacity, _ in measured
        ],
        unmeasured=unmeasured,
    )


def _bound(period: Period, step_us: int, price_changes: Sequence[int]) -> dict[str, object]:
    return {
        "from": period.from_us,
        "to": period.to_us,
        "step": step_us,
        "changes": list(price_changes),
    }
