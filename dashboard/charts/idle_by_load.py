"""Idle share against load: what more requests on the same machines would bring."""

from collections.abc import Sequence
from datetime import tzinfo

import plotly.graph_objects as go

from dashboard.charts.frame import framed, local
from reports import palette
from store import LoadPoint


def idle_by_load(points: Sequence[LoadPoint], zone: tzinfo) -> go.Figure:
    """Return a point per step: requests per second of one machine against its idle share."""
    trace = go.Scatter(
        name="one step",
        x=[point.requests_per_machine_s for point in points],
        y=[point.idle_share for point in points],
        mode="markers",
        marker={"color": palette.BLUE, "size": 7, "opacity": 0.6},
        text=[local(point.from_us, zone).strftime("%d %b, %H:%M") for point in points],
        hovertemplate="%{text}: %{x:.3~r} requests/s, %{y:.1%} idle<extra></extra>",
        showlegend=False,
    )
    figure = framed([trace], y_title="idle share", hovermode="closest")
    figure.update_xaxes(
        title={"text": "requests per second and machine", "standoff": 4},
        rangemode="tozero",
        hoverformat=None,
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.03])
    return figure
