"""What machines were and did, step by step: workers, load, processor, memory, GPU."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, MACHINE_FIELDS, Filter
from store.grouping import By, Key, key_names, key_order
from store.period import Period
from store.steps import IN_PERIOD, STEP, by_step, rollup

MACHINE_GROUPINGS = frozenset({By.NODE, *(By(name) for name in MACHINE_FIELDS)})


@dataclass(frozen=True)
class Utilization:
    """Machines of one group in one step; what ends in `_us` is uptime, or uptime x a quantity.

    `capacity_us` is uptime x workers ready, `loading_us` uptime x workers that load a model,
    `queue_depth_us` uptime x requests that wait; `gpu_uptime_us` is the part of the uptime in which
    a GPU was measured, None elsewhere what there is none of. The means are those of a machine
    while it ran; a maximum is that of any machine.
    """

    from_us: int
    key: Key
    nodes: int
    uptime_us: int
    capacity_us: int
    busy_us: int
    cpu_busy_us: float
    loading_us: int
    queue_depth_us: int
    queue_depth_max: int
    memory_bytes_max: int
    gpu_uptime_us: int
    gpu_busy_us: float
    gpu_energy_j: float
    gpu_memory_bytes_max: int | None

    @property
    def utilization(self) -> float | None:
        """Busy worker time / capacity; None where no worker was ready."""
        return self.busy_us / self.capacity_us if self.capacity_us else None

    @property
    def cpu_utilization(self) -> float:
        """CPU utilisation of the whole machine."""
        return self.cpu_busy_us / self.uptime_us

    @property
    def gpu_utilization(self) -> float | None:
        """GPU utilisation while a GPU was measured, None where none was."""
        return self.gpu_busy_us / self.gpu_uptime_us if self.gpu_uptime_us else None

    @property
    def workers_ready(self) -> float:
        """Workers ready per machine."""
        return self.capacity_us / self.uptime_us

    @property
    def queue_depth(self) -> float:
        """Requests that waited, per machine."""
        return self.queue_depth_us / self.uptime_us


def read_utilization(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    by: Sequence[By] = (),
    where: Filter = EVERYTHING,
) -> list[Utilization]:
    """Return the machines of `period` by step and by `by`, ascending; steps without any left out.

    Of `where` only what it says of machines counts. Raises ValueError for a grouping in `by` that
    is no property of a machine.
    """
    for grouping in by:
        if grouping not in MACHINE_GROUPINGS:
            accepted_names = ", ".join(sorted(MACHINE_GROUPINGS))
            raise ValueError(f"by has {grouping}; accepted: {accepted_names}")
    accepted = where.machine_condition()
    keys = [f"{By(one).value} AS key_{number}" for number, one in enumerate(by)]
    rows = connection.execute(
        f"""
        SELECT
            {", ".join((f"{STEP} AS from_us", *keys))},
            count(DISTINCT node_id),
            sum(uptime_us)::BIGINT,
            sum(capacity_us)::BIGINT,
            sum(busy_us)::BIGINT,
            sum(cpu_busy_us),
            sum(loading_us)::BIGINT,
            sum(queue_depth_us)::HUGEINT,
            max(queue_depth_max),
            max(memory_bytes_max),
            sum(gpu_uptime_us)::BIGINT,
            sum(gpu_busy_us),
            sum(gpu_energy_j),
            max(gpu_memory_bytes_max)
        FROM {rollup("node", period, step_us)}
        WHERE {IN_PERIOD} AND {accepted.sql}
        GROUP BY {", ".join(("from_us", *key_names(by)))}
        """,
        {**accepted.bound, **by_step(period, step_us)},
    ).fetchall()
    size = len(by)
    found = [Utilization(row[0], tuple(row[1 : 1 + size]), *row[1 + size :]) for row in rows]
    return sorted(found, key=lambda row: (row.from_us, key_order(row.key)))
