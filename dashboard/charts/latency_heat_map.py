"""How latency is distributed, step by step: a column for each step, a cell for each duration."""

import math

import plotly.graph_objects as go

from dashboard.charts.frame import framed, local, logarithmic
from dashboard.charts.over_time import Axis
from reports import LatencyTargets, palette
from store import HeatMap

# One hue that gets denser: it serves a white and a dark page, and says "more" on both.
SCALE = [[0.0, "rgba(44, 134, 194, 0.10)"], [0.5, "rgba(44, 134, 194, 0.55)"], [1.0, "#2C86C2"]]
ROOM = 1.1
SHORTEST_MS = 0.001


def latency_heat_map(heat_map: HeatMap, axis: Axis, targets: LatencyTargets) -> go.Figure:
    """Return the requests by time and latency, the density of a cell by the logarithm of its count.

    By the logarithm, since the few slow ones are what is looked for.
    """
    starts = list(axis.starts)
    counts = [
        [heat_map.counts.get((start, row)) for start in starts] for row in range(len(heat_map.rows))
    ]
    edges_ms = [max(low / 1000, SHORTEST_MS) for low, _ in heat_map.rows]
    edges_ms += [heat_map.rows[-1][1] / 1000] if heat_map.rows else []
    trace = go.Heatmap(
        x=[local(start, axis.zone) for start in [*starts, axis.period.to_us]],
        y=edges_ms,
        z=[[None if count is None else math.log10(count + 1) for count in row] for row in counts],
        text=[["" if count is None else f"{count:,}" for count in row] for row in counts],
        colorscale=SCALE,
        zmin=0,
        showscale=False,
        hoverongaps=False,
        xgap=0,
        ygap=0,
        hovertemplate="%{text} requests of about %{y:.3~r} ms<extra></extra>",
    )
    figure = framed([trace], y_title="ms, logarithmic", hovermode="closest")
    figure.update_xaxes(
        range=[local(axis.period.from_us, axis.zone), local(axis.period.to_us, axis.zone)]
    )
    known = [*edges_ms, targets.p99]
    logarithmic(figure.update_yaxes, min(known) / ROOM, max(known) * ROOM)
    figure.update_yaxes(showgrid=False)
    figure.add_hline(y=targets.p99, line={"color": palette.P99, "width": 1, "dash": "longdash"})
    figure.add_annotation(
        text=f"p99 target {targets.p99:g} ms",
        xref="paper",
        x=1,
        xanchor="right",
        y=math.log10(targets.p99),
        yanchor="bottom" if targets.p99 < max(known) else "top",
        showarrow=False,
    )
    return figure
