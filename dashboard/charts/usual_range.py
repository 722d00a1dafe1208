"""Cost of each day beside what was usual for it, with the days that were not."""

from collections.abc import Sequence

import plotly.graph_objects as go

from costs import TICKS_PER_USD
from costs.anomaly import Anomalies, Measure
from costs.forecast import DayCost
from dashboard.charts.frame import framed
from reports import palette

HOVER = "%{y:,.2f} USD"
DAYS_SHOWN = 42
BAND_FILL = "rgba(134, 142, 153, 0.25)"


def usual_range(days: Sequence[DayCost], anomalies: Anomalies) -> go.Figure:
    """Return the cost of the last six weeks in USD a day, the usual range, and anomalies marked.

    The usual range begins where there are four weeks before it.
    """
    usual = anomalies.cost.usual[-DAYS_SHOWN:]
    shown = list(days)[-len(usual) :] if usual else []
    x = [day.day for day in shown]
    edges = (
        ("Usually, at least", [None if u is None else u.low for u in usual], None, False),
        ("Usual range", [None if u is None else u.high for u in usual], "tonexty", True),
    )
    traces = [
        go.Scatter(
            name=name,
            x=x,
            y=y,
            mode="lines",
            line={"color": palette.GREY, "width": 0.5},
            fill=fill,
            fillcolor=BAND_FILL,
            showlegend=legend,
            hovertemplate=HOVER,
        )
        for name, y, fill, legend in edges
    ]
    traces.append(
        go.Scatter(
            name="Cost of the day",
            x=x,
            y=[_usd(day) if day.whole else None for day in shown],
            mode="lines+markers",
            line={"color": palette.BLUE, "width": 2},
            marker={"size": 5},
            hovertemplate=HOVER,
        )
    )
    part = [day for day in shown if not day.whole]
    if part:
        traces.append(
            go.Scatter(
                name="Known in part",
                x=[day.day for day in part],
                y=[_usd(day) for day in part],
                mode="markers",
                marker={"size": 8, "symbol": "circle-open", "color": palette.BLUE},
                hovertemplate=HOVER,
            )
        )
    marked = [one for one in anomalies.found if one.measure is Measure.COST and one.day in set(x)]
    if marked:
        traces.append(
            go.Scatter(
                name="Anomaly",
                x=[one.day for one in marked],
                y=[one.actual for one in marked],
                mode="markers",
                marker={
                    "size": 12,
                    "symbol": [
                        "triangle-up" if one.actual > one.usual.value else "triangle-down"
                        for one in marked
                    ],
                    "color": palette.VERMILLION,
                },
                hovertemplate=HOVER,
            )
        )
    figure = framed(traces, y_title="USD a day")
    figure.update_xaxes(hoverformat="%d %b")
    figure.update_yaxes(rangemode="tozero")
    return figure


def _usd(day: DayCost) -> float:
    return float(day.ticks) / TICKS_PER_USD
