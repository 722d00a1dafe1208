"""The figures that answer "how busy are the machines, and what do requests wait for"."""

from collections.abc import Callable

from reports import UtilizationReport
from reports.change import (
    NOTHING_BEFORE,
    Change,
    Polarity,
    points_change,
    relative_change,
)
from reports.formatting import DASH, count, percent, significant
from reports.tile import Detail, Tile
from store import Utilization

GIBIBYTE = 2**30
NO_GPU = "no GPU"


def utilization_tiles(report: UtilizationReport) -> list[list[Tile]]:
    """Return tiles of workers, processor and GPU; of queues, batches and memory."""
    return [
        [_workers(report), _cpu(report), _gpu(report)],
        [_queue(report), _batch(report), _memory(report)],
    ]


def _workers(report: UtilizationReport) -> Tile:
    total = report.total
    ready = sum(n.capacity_us for n in report.nodes) / _covered_us(report)
    busy = sum(n.busy_us for n in report.nodes) / _covered_us(report)
    return Tile(
        key="workers",
        label="Utilisation of workers",
        value=percent(total.utilization if total else None),
        unit="",
        definition="The share of the time of all ready workers that was spent executing requests.",
        change=_points(report, lambda u: u.utilization),
        trend=[step.utilization for step in report.steps],
        details=(
            Detail("workers ready, mean", significant(ready) if total else DASH),
            Detail("busy of those", significant(busy) if total else DASH),
        ),
    )


def _cpu(report: UtilizationReport) -> Tile:
    total = report.total
    return Tile(
        key="cpu",
        label="CPU",
        value=percent(total.cpu_utilization if total else None),
        unit="",
        definition="The utilisation of all processor cores of the machines, whatever ran on them.",
        change=_points(report, lambda u: u.cpu_utilization),
        trend=[step.cpu_utilization for step in report.steps],
        details=(
            Detail("highest step", percent(_highest(report, lambda u: u.cpu_utilization))),
            Detail("machines", count(total.nodes if total else 0)),
        ),
    )


def _gpu(report: UtilizationReport) -> Tile:
    total = report.total
    measured = total is not None and total.gpu_uptime_us > 0
    watts = None
    if total is not None and measured:
        watts = total.gpu_energy_j / (total.gpu_uptime_us / 1_000_000)
    return Tile(
        key="gpu",
        label="GPU",
        value=percent(total.gpu_utilization) if total and measured else NO_GPU,
        unit="",
        definition="The utilisation of the GPUs, over the time in which one was measured.",
        change=_points(report, lambda u: u.gpu_utilization) if measured else Change("", ""),
        trend=[step.gpu_utilization for step in report.steps] if measured else [],
        details=(
            (
                Detail("power, mean", f"{significant(watts)} W"),
                Detail("memory, most", _gibibytes(total.gpu_memory_bytes_max if total else None)),
            )
            if measured
            else (Detail("measured", "on no machine of this window"),)
        ),
    )


def _queue(report: UtilizationReport) -> Tile:
    total = report.total
    return Tile(
        key="queue",
        label="Queue depth",
        value=significant(total.queue_depth if total else None),
        unit="",
        definition="How many requests of one machine waited for a worker, on average over samples.",
        change=_relative(report, lambda u: u.queue_depth, Polarity.LOWER_IS_BETTER),
        trend=[step.queue_depth for step in report.steps],
        details=(Detail("most when sampled", count(total.queue_depth_max) if total else DASH),),
    )


def _batch(report: UtilizationReport) -> Tile:
    mean, before = report.mean_batch, report.previous_mean_batch
    alone = sum(step.sizes.get(1, 0) for step in report.fill)
    items = sum(step.items for step in report.fill)
    return Tile(
        key="batch-fill",
        label="Items per batch",
        value=significant(mean),
        unit="",
        definition="Items that were executed together, on average over executed batches.",
        change=(
            NOTHING_BEFORE
            if report.previous_fill is None
            else relative_change(mean, before, Polarity.HIGHER_IS_BETTER)
        ),
        trend=[step.mean_size for step in report.fill],
        details=(
            Detail("executed alone", percent(alone / items if items else None)),
            Detail("items executed", count(items)),
        ),
    )


def _memory(report: UtilizationReport) -> Tile:
    total = report.total
    return Tile(
        key="memory",
        label="Memory",
        value=significant(total.memory_bytes_max / GIBIBYTE if total else None),
        unit="GiB",
        definition="The most main memory that the node of any machine had in use.",
        change=_relative(report, lambda u: float(u.memory_bytes_max), Polarity.NEUTRAL),
        trend=[step.memory_bytes_max / GIBIBYTE for step in report.steps],
        details=(Detail("of", "the largest machine"),),
    )


def _covered_us(report: UtilizationReport) -> int:
    period = report.shown.period
    return report.shown.covered_us(period.from_us, period.to_us) or period.length_us


def _highest(
    report: UtilizationReport, figure: Callable[[Utilization], float | None]
) -> float | None:
    found = [figure(step) for step in report.steps]
    return max((value for value in found if value is not None), default=None)


def _points(report: UtilizationReport, figure: Callable[[Utilization], float | None]) -> Change:
    if report.previous is None or report.total is None:
        return NOTHING_BEFORE
    return points_change(figure(report.total), figure(report.previous), Polarity.NEUTRAL)


def _relative(
    report: UtilizationReport, figure: Callable[[Utilization], float | None], polarity: Polarity
) -> Change:
    if report.previous is None or report.total is None:
        return NOTHING_BEFORE
    return relative_change(figure(report.total), figure(report.previous), polarity)


def _gibibytes(size: int | None) -> str:
    return DASH if size is None else f"{significant(size / GIBIBYTE)} GiB"
