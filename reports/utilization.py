"""How busy machines were in a window, how full their batches, how long their queues."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reports.window import Frame, Window, read_frame
from store import (
    EVERYTHING,
    BatchFill,
    By,
    Dropped,
    Filter,
    LoadPoint,
    Utilization,
    open_reader,
    read_batch_fill,
    read_dropped,
    read_load_points,
    read_utilization,
)


@dataclass(frozen=True)
class WorkerStep:
    """Workers of all machines in one step: how many were ready, and how many of them busy.

    Means over the part of the step that facts are stored for.
    """

    from_us: int
    ready: float
    busy: float


@dataclass(frozen=True)
class UtilizationReport:
    """Everything the Utilisation page shows.

    Figures of machines are of those that `where` accepts and of all that they did, batch fill is
    of the requests that it accepts. `total` is None where no machine ran in the window, `previous`
    also where less than half of the window before is covered by data. `nodes` have as key their
    name and the type of their machine.
    """

    shown: Frame
    where: Filter
    total: Utilization | None
    previous: Utilization | None
    steps: list[Utilization]
    workers: list[WorkerStep]
    nodes: list[Utilization]
    fill: list[BatchFill]
    previous_fill: list[BatchFill] | None
    points: list[LoadPoint]
    dropped: list[Dropped]

    @property
    def mean_batch(self) -> float | None:
        """Items per executed batch of the window, None where none was executed."""
        return mean_batch(self.fill)

    @property
    def previous_mean_batch(self) -> float | None:
        """`mean_batch` of the window before, None where it is not to be compared with."""
        return None if self.previous_fill is None else mean_batch(self.previous_fill)


def mean_batch(fill: list[BatchFill]) -> float | None:
    """Return items per batch over several steps, None where no batch was executed in them."""
    batches = sum((step.batches for step in fill), Fraction(0))
    return float(sum(step.items for step in fill) / batches) if batches else None


def load_utilization(
    database: Path, window: Window, now_us: int, where: Filter = EVERYTHING
) -> UtilizationReport | None:
    """Return the utilisation of the last `window` before `now_us`.

    Returns None when the database holds no fact yet. Raises StoreErrors.
    """
    with open_reader(database) as connection:
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return None
        period, step_us = shown.period, shown.step_us
        before = period.before()
        total = read_utilization(connection, period, period.length_us, where=where)
        earlier = read_utilization(connection, before, before.length_us, where=where)
        steps = read_utilization(connection, period, step_us, where=where)
        nodes = read_utilization(
            connection, period, period.length_us, by=(By.NODE, By.INSTANCE_TYPE), where=where
        )
        fill = read_batch_fill(connection, period, step_us, where=where)
        earlier_fill = read_batch_fill(connection, before, before.length_us, where=where)
        points = read_load_points(connection, period, step_us, where=where)
        dropped = read_dropped(connection, period, where=where)
    return UtilizationReport(
        shown=shown,
        where=where,
        total=total[0] if total else None,
        previous=earlier[0] if earlier and shown.comparable else None,
        steps=steps,
        workers=[_workers(step, shown) for step in steps],
        nodes=nodes,
        fill=fill,
        previous_fill=earlier_fill if shown.comparable else None,
        points=points,
        dropped=dropped,
    )


def _workers(step: Utilization, shown: Frame) -> WorkerStep:
    # A sample may end a little after the last instant that is counted as covered.
    covered_us = shown.covered_us(step.from_us, step.from_us + shown.step_us) or step.uptime_us
    return WorkerStep(step.from_us, step.capacity_us / covered_us, step.busy_us / covered_us)
