"""How busy machines were: workers, processor, GPU, queues, memory."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.charts.over_time import Axis, Series, lines
from reports import WorkerStep, palette
from store import Utilization

GIBIBYTE = 2**30
ROOM = 1.06


def utilization_over_time(steps: Sequence[Utilization], axis: Axis) -> go.Figure:
    """Return the utilisation of workers, processor and, where one was measured, GPU."""
    series = [
        Series(
            "Workers",
            {s.from_us: s.utilization for s in steps},
            palette.BLUE,
            hover="%{y:.1%}",
        ),
        Series(
            "CPU",
            {s.from_us: s.cpu_utilization for s in steps},
            palette.BLUISH_GREEN,
            dash="dash",
            hover="%{y:.1%}",
        ),
    ]
    gpu = {s.from_us: s.gpu_utilization for s in steps}
    if any(value is not None for value in gpu.values()):
        series.append(Series("GPU", gpu, palette.VERMILLION, dash="dot", hover="%{y:.1%}"))
    figure = lines(series, axis, "utilisation")
    # Up to the whole: a third that fills the chart would look like a machine at its limit.
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return figure


def workers_over_time(steps: Sequence[WorkerStep], axis: Axis) -> go.Figure:
    """Return how many workers were ready and how many of them busy, all machines together."""
    figure = lines(
        [
            Series("Ready", {s.from_us: s.ready for s in steps}, palette.GREY),
            Series(
                "Busy",
                {s.from_us: s.busy for s in steps},
                palette.BLUE,
                fill="rgba(44, 134, 194, 0.35)",
            ),
        ],
        axis,
        "workers, mean",
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def queue_depth(steps: Sequence[Utilization], axis: Axis) -> go.Figure:
    """Return how many requests waited per machine, on average and at most when sampled."""
    figure = lines(
        [
            Series(
                "Most when sampled",
                {s.from_us: float(s.queue_depth_max) for s in steps},
                palette.VERMILLION,
                dash="dot",
            ),
            Series(
                "Mean",
                {s.from_us: s.queue_depth for s in steps},
                palette.BLUE,
                fill="rgba(44, 134, 194, 0.35)",
            ),
        ],
        axis,
        "waiting per machine",
    )
    highest = max((s.queue_depth_max for s in steps), default=0)
    figure.update_yaxes(range=[0, max(1, highest) * ROOM])
    return figure


def memory(steps: Sequence[Utilization], axis: Axis) -> go.Figure:
    """Return the most memory that any machine had in use, and any GPU where one was measured."""
    series = [
        Series(
            "Main memory",
            {s.from_us: s.memory_bytes_max / GIBIBYTE for s in steps},
            palette.BLUE,
            hover="%{y:.3~r} GiB",
        )
    ]
    gpu = {
        s.from_us: s.gpu_memory_bytes_max / GIBIBYTE
        for s in steps
        if s.gpu_memory_bytes_max is not None
    }
    if gpu:
        series.append(
            Series("GPU memory", gpu, palette.VERMILLION, dash="dot", hover="%{y:.3~r} GiB")
        )
    figure = lines(series, axis, "GiB, largest machine")
    figure.update_yaxes(rangemode="tozero")
    return figure
