"""Direct cost of single requests against how long they took: who shares a batch pays less."""

from collections.abc import Sequence

import plotly.graph_objects as go

from costs import to_usd
from dashboard.charts.frame import framed, logarithmic
from reports import RequestCost, palette

ROOM = 1.2
GROUPS = (
    ("batch of one", palette.ALONE, "circle"),
    ("larger batch", palette.SHARED, "diamond"),
    ("not executed", palette.GREY, "square-open"),
    ("failed", palette.FAILED, "x"),
)


def cost_by_latency(rows: Sequence[RequestCost]) -> go.Figure:
    """Return a point per request whose cost is known: total ms against direct micro-USD.

    What was executed on behalf of a request is left out: nobody waited for it.
    """
    rows = [row for row in rows if row.request.is_request]
    traces = []
    for name, color, symbol in GROUPS:
        points = [row for row in rows if row.direct is not None and _group(row) == name]
        traces.append(
            go.Scatter(
                name=name,
                x=[row.request.total_us / 1000 for row in points],
                y=[float(to_usd(row.direct or 0, places=18)) * 1e6 for row in points],
                mode="markers",
                marker={"color": color, "symbol": symbol, "size": 7, "opacity": 0.75},
                hovertemplate="%{x:.3~r} ms, %{y:.3~r} \N{MICRO SIGN}USD",
                visible=True if points else "legendonly",
            )
        )
    figure = framed(traces, y_title="direct cost, \N{MICRO SIGN}USD")
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(hoverformat=None)
    times = [x for trace in traces for x in trace.x if x > 0]
    if times:
        logarithmic(figure.update_xaxes, min(times) / ROOM, max(times) * ROOM)
    figure.update_xaxes(title={"text": "total time, ms, logarithmic", "standoff": 4})
    # A little below zero, so that the requests that cost nothing are seen whole.
    highest = max((y for trace in traces for y in trace.y), default=0) or 1
    figure.update_yaxes(range=[-0.06 * highest, 1.08 * highest])
    return figure


def _group(row: RequestCost) -> str:
    if row.request.status >= 400:
        return "failed"
    if not row.request.executed:
        return "not executed"
    return "batch of one" if row.request.batch_size == 1 else "larger batch"
