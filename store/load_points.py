"""Idle share against load: how much of what machines are paid for stands still, and when."""

from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class LoadPoint:
    """Machines of one step, and what requests used of them; at least some uptime.

    `owned_us` is the machine time that requests own: worker time x (uptime / capacity) of their
    node in their minute. It is rounded, and for charts: costs come from BusyTime.
    """

    from_us: int
    requests: int
    uptime_us: int
    capacity_us: int
    busy_us: int
    owned_us: float

    @property
    def requests_per_machine_s(self) -> float:
        """Requests per second of one machine: the load, also where a step is covered in part."""
        return self.requests * 1_000_000 / self.uptime_us

    @property
    def utilization(self) -> float | None:
        """Busy worker time / capacity; None where no worker was ready."""
        return self.busy_us / self.capacity_us if self.capacity_us else None

    @property
    def idle_share(self) -> float:
        """The part of the machine time that no request owns; of the cost, where prices are equal.

        A request counts in the minute of its arrival, so a step that a batch reaches beyond may
        own a little more than its machine time: that is 0.
        """
        return max(0.0, 1 - self.owned_us / self.uptime_us)


def read_load_points(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    where: Filter = EVERYTHING,
) -> list[LoadPoint]:
    """Return a point for every step of `period` in which a machine ran, ascending.

    Of `where` only what it says of machines counts: load and idle share are those of a machine.
    """
    machines = where.machine_condition()
    accepted, bound = chosen(where.machines())
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted}), ran AS (
            SELECT
                {STEP} AS from_us,
                sum(uptime_us)::BIGINT AS uptime_us,
                sum(capacity_us)::BIGINT AS capacity_us,
                sum(busy_us)::BIGINT AS busy_us
            FROM {rollup("node", period, step_us)}
            WHERE {IN_PERIOD} AND {machines.sql}
            GROUP BY from_us
        ), came AS (
            SELECT {STEP} AS from_us, sum(requests)::BIGINT AS requests
            FROM {rollup("usage", period, step_us)} SEMI JOIN chosen USING (dimension_id)
            WHERE {IN_PERIOD}
            GROUP BY from_us
        ), summed AS (
            SELECT
                {STEP} AS from_us, batch_size, share_uptime, share_capacity,
                sum(item_us) AS item_us
            FROM {rollup("busy", period, step_us)} SEMI JOIN chosen USING (dimension_id)
            WHERE {IN_PERIOD} AND share_capacity > 0
            GROUP BY ALL
        ), used AS (
            SELECT
                from_us,
                sum(item_us::DOUBLE * share_uptime / (batch_size * share_capacity::DOUBLE))
                    AS owned_us
            FROM summed
            GROUP BY from_us
        )
        SELECT
            from_us, coalesce(requests, 0), uptime_us, capacity_us, busy_us, coalesce(owned_us, 0)
        FROM ran LEFT JOIN came USING (from_us) LEFT JOIN used USING (from_us)
        ORDER BY from_us
        """,
        {**machines.bound, **bound, **by_step(period, step_us)},
    ).fetchall()
    return [LoadPoint(*row) for row in rows]
