"""Spend per hour, step by step: what requests used, and what stood idle on top of it."""

from collections.abc import Sequence
from datetime import tzinfo

import plotly.graph_objects as go

from dashboard.charts.frame import framed, local
from dashboard.steps import Step
from reports import palette
from store import Period

OWN = "Used by requests"
OWN_SLICE = "Used by the filtered requests"


def cost_over_time(
    steps: Sequence[Step], step_us: int, period: Period, zone: tzinfo, *, sliced: bool = False
) -> go.Figure:
    """Return stacked areas in USD per hour, level within a step; the parts sum to the spend.

    Where the requests counted are a slice, what the others used stands between theirs and what was
    idle. A step in which nothing was spent is at zero.
    """
    starts = [local(start, zone) for start, _ in steps]
    # The last step is as wide as any other: its level is drawn up to its end.
    ends = [local(steps[-1][0] + step_us, zone)] if steps else []
    parts = [
        (
            OWN_SLICE if sliced else OWN,
            palette.DIRECT,
            palette.DIRECT_FILL,
            [figures.own_usd_per_hour or 0.0 for _, figures in steps],
        ),
        (
            "Used by others",
            palette.OTHERS,
            palette.OTHERS_FILL,
            [figures.others_usd_per_hour or 0.0 for _, figures in steps],
        ),
        (
            "Idle",
            palette.IDLE,
            palette.IDLE_FILL,
            [figures.idle_usd_per_hour or 0.0 for _, figures in steps],
        ),
    ]
    if not sliced:
        del parts[1]
    areas = [
        go.Scatter(
            name=name,
            x=starts + ends,
            y=values + values[-1:],
            stackgroup="spend",
            mode="lines",
            line={"color": edge, "width": 1.5, "shape": "hv"},
            fillcolor=fill,
            hovertemplate="%{y:.4~r} USD/h",
        )
        for name, edge, fill, values in parts
    ]
    figure = framed(areas, y_title="USD per hour")
    figure.update_xaxes(range=[local(period.from_us, zone), local(period.to_us, zone)])
    figure.update_yaxes(rangemode="tozero")
    return figure
