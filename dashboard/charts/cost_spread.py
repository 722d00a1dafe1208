"""How many requests cost how much."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.charts.frame import framed, logarithmic
from reports import palette
from reports.costs import CostBin

MICRO = 1e6


def cost_spread(bins: Sequence[CostBin]) -> go.Figure:
    """Return a histogram over the logarithm of the direct machine cost in micro-USD."""
    bars = go.Bar(
        x=[(each.from_usd * each.to_usd) ** 0.5 * MICRO for each in bins],
        y=[each.requests for each in bins],
        width=[(each.to_usd - each.from_usd) * MICRO for each in bins],
        marker={"color": palette.BLUE, "line": {"width": 0}},
        customdata=[(each.from_usd * MICRO, each.to_usd * MICRO) for each in bins],
        hovertemplate="%{customdata[0]:.3~r} to %{customdata[1]:.3~r} \N{MICRO SIGN}USD: "
        "%{y:,} requests<extra></extra>",
    )
    figure = framed([bars], y_title="requests", hovermode="closest", bargap=0)
    if bins:
        logarithmic(figure.update_xaxes, bins[0].from_usd * MICRO, bins[-1].to_usd * MICRO)
    figure.update_xaxes(title={"text": "\N{MICRO SIGN}USD per request", "standoff": 4})
    return figure
