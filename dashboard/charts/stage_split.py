"""Where the time of executed requests goes: waiting, executing, everything else."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.charts.over_time import Axis, Series, stacked
from reports import palette
from store import Stages

STAGES = (
    ("Compute", palette.BLUE, "rgba(44, 134, 194, 0.7)", 1),
    ("Queue", palette.VERMILLION, "rgba(213, 94, 0, 0.55)", 0),
    ("Overhead", palette.GREY, "rgba(134, 142, 153, 0.35)", 2),
)


def stage_means(stages: Sequence[Stages], axis: Axis) -> go.Figure:
    """Return the mean of each stage in ms per request, stacked; they sum to the mean latency."""
    means = {step.from_us: step.means_us() for step in stages}
    return stacked(
        [
            Series(
                name,
                {start: mean[place] / 1000 for start, mean in means.items()},
                color,
                fill=fill,
                hover="%{y:.3~r} ms",
            )
            for name, color, fill, place in STAGES
        ],
        axis,
        "mean ms per request",
    )


def stage_shares(stages: Sequence[Stages], axis: Axis) -> go.Figure:
    """Return what part of the total time each stage is, stacked to the whole."""
    shares = {step.from_us: step.shares() for step in stages}
    figure = stacked(
        [
            Series(
                name,
                {start: share[place] for start, share in shares.items()},
                color,
                fill=fill,
                hover="%{y:.1%}",
            )
            for name, color, fill, place in STAGES
        ],
        axis,
        "share of the time",
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return figure
