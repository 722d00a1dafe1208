"""Latency of successful requests, step by step, against the promise for its p99."""

import math
from collections.abc import Sequence
from datetime import tzinfo

import plotly.graph_objects as go

from dashboard.charts.frame import framed, local, logarithmic, point_sizes
from dashboard.steps import Step
from reports import LatencyTargets, palette
from store import Period

QUANTILES = (
    ("p99", palette.P99, "solid"),
    ("p95", palette.P95, "dash"),
    ("p50", palette.P50, "dot"),
)
ROOM = 1.35


def latency_over_time(
    steps: Sequence[Step], step_us: int, period: Period, targets: LatencyTargets, zone: tzinfo
) -> go.Figure:
    """Return p50, p95 and p99 in ms on a logarithmic axis; steps without data are gaps."""
    middles = [local(start + step_us // 2, zone) for start, _ in steps]
    lines = []
    for name, color, dash in QUANTILES:
        values = [getattr(figures, f"{name}_ms") for _, figures in steps]
        lines.append(
            go.Scatter(
                name=name,
                x=middles,
                y=values,
                mode="lines+markers",
                line={"color": color, "dash": dash, "width": 2.5 if name == "p99" else 1.8},
                marker={"size": point_sizes(values), "opacity": 1, "line": {"width": 0}},
                hovertemplate="%{y:.3~r} ms",
            )
        )
    figure = framed(lines, y_title="ms, logarithmic")
    figure.update_xaxes(range=[local(period.from_us, zone), local(period.to_us, zone)])
    known = [value for line in lines for value in line.y if value] + [targets.p99]
    low, high = min(known), max(known)
    logarithmic(figure.update_yaxes, low / ROOM, high * ROOM)
    figure.add_hline(y=targets.p99, line={"color": palette.P99, "width": 1, "dash": "longdash"})
    figure.add_annotation(
        text=f"p99 target {targets.p99:g} ms",
        xref="paper",
        x=1,
        xanchor="right",
        # Unlike a line, an annotation on a logarithmic axis is placed by the logarithm.
        y=math.log10(targets.p99),
        yanchor="top" if targets.p99 == high else "bottom",
        showarrow=False,
    )
    return figure
