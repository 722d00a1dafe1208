"""Latency over its percentiles: how slow is one request in ten, in a hundred, in a thousand."""

import math
from collections.abc import Mapping

import plotly.graph_objects as go

from dashboard.charts.frame import framed, logarithmic
from reports import LatencyTargets, palette
from reports.quantiles import ENOUGH_TAIL
from store import percentile_curve as curve_of

LOWEST, HIGHEST = 0.5, 0.9999
TICKS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
TARGETS = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
ROOM = 1.35


def percentile_curve(counts: Mapping[int, int], targets: LatencyTargets) -> go.Figure:
    """Return the curve of `counts`, requests by bucket, from the 50th percentile to the 99.99th.

    The axis is logarithmic in what is slower, 1 - p: each decade is a tenth of the requests of the
    one before. The curve is dotted where fewer than 100 requests lie beyond it.
    """
    points = [(q, us / 1000) for q, us in curve_of(counts) if q >= LOWEST]
    # Beyond the highest percentile shown there is one more point, so that the curve gets there.
    beyond = next((i for i, (q, _) in enumerate(points) if q > HIGHEST), len(points))
    points = points[: beyond + 1]
    total = sum(counts.values())
    sure = [point for point in points if (1 - point[0]) * total >= ENOUGH_TAIL]
    unsure = points[max(0, len(sure) - 1) :]
    traces = [
        _trace("Latency", sure, {"color": palette.P99, "width": 2.5}),
        _trace(
            "too few requests to be sure",
            unsure if len(unsure) > 1 or not sure else [],
            {"color": palette.GREY, "width": 2, "dash": "dot"},
        ),
        go.Scatter(
            name="Target",
            x=[_x(q) for _, q in TARGETS],
            y=[getattr(targets, name) for name, _ in TARGETS],
            mode="lines+markers",
            line={"color": palette.BLUE, "width": 1, "dash": "dash", "shape": "vh"},
            marker={"symbol": "triangle-down", "size": 9, "color": palette.BLUE},
            text=[name for name, _ in TARGETS],
            hovertemplate="%{text} target %{y:.3~r} ms",
        ),
    ]
    figure = framed(traces, y_title="ms, logarithmic", hovermode="closest")
    # Room for the last tick, which stands at the very edge.
    figure.update_layout(margin={"r": 20})
    figure.update_xaxes(
        title={"text": "percentile of successful requests", "standoff": 4},
        tickvals=[_x(q) for q in TICKS],
        ticktext=[f"{100 * q:g}" for q in TICKS],
        range=[_x(LOWEST) - 0.08, _x(HIGHEST) + 0.08],
        hoverformat=None,
    )
    values = [ms for _, ms in points if ms > 0] + [targets.p50, targets.p99]
    logarithmic(figure.update_yaxes, min(values) / ROOM, max(values) * ROOM)
    return figure


def _x(q: float) -> float:
    return -math.log10(max(1 - q, 1e-9))


def _trace(name: str, points: list[tuple[float, float]], line: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[min(_x(q), _x(HIGHEST) + 1) for q, _ in points],
        y=[ms for _, ms in points],
        mode="lines",
        line={**line, "shape": "hv"},
        text=[f"{100 * q:.4g}" for q, _ in points],
        hovertemplate="%{text}% within %{y:.3~r} ms",
        showlegend=bool(points),
    )
