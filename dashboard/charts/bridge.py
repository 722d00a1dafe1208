"""From the spend of one week to that of the next, driver by driver."""

from collections.abc import Sequence
from itertools import accumulate

import plotly.graph_objects as go

from dashboard.charts.frame import framed
from reports import palette
from reports.weekly import Bridge, BridgeRow, shown_drivers, ticks_usd

ROW_PX = 30
AROUND_PX = 40
# Of the width, for an amount beside the last bar.
WORDS_SHARE = 0.18


def bridge_chart(bridge: Bridge, rows: Sequence[BridgeRow]) -> go.Figure:
    """Return a waterfall, read downwards; `rows` are the words of the bars that are drawn.

    More cost is red and less of it green; the words beside a bar say which, too.
    """
    changes = [driver.change for driver in shown_drivers(bridge)]
    values = [ticks_usd(amount) for amount in (bridge.before, *changes, bridge.now)]
    waterfall = go.Waterfall(
        orientation="h",
        y=[row.name for row in rows],
        x=values,
        measure=["absolute", *["relative"] * len(changes), "total"],
        text=[row.amount for row in rows],
        textposition="outside",
        cliponaxis=False,
        connector={"line": {"color": palette.GRID, "width": 1}},
        increasing={"marker": {"color": palette.VERMILLION}},
        decreasing={"marker": {"color": palette.BLUISH_GREEN}},
        totals={"marker": {"color": palette.GREY}},
        hovertemplate="%{y}: %{text} USD<extra></extra>",
    )
    figure = framed([waterfall], y_title="", hovermode="closest", showlegend=False)
    figure.update_layout(height=AROUND_PX + ROW_PX * len(rows))
    figure.update_yaxes(autorange="reversed", showgrid=False, title=None)
    figure.update_xaxes(
        showgrid=True, gridcolor=palette.GRID, hoverformat=None, range=_range(values[:-1])
    )
    return figure


def _range(steps: Sequence[float]) -> list[float]:
    """Return the ends of the axis: zero and every level on the way, with room for words."""
    levels = [0.0, *accumulate(steps)]
    low, high = min(levels), max(levels)
    room = WORDS_SHARE * (high - low)
    return [low - (room if low < 0 else 0.0), high + room]
