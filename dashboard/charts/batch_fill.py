"""How many items were executed together, step by step."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.charts.over_time import Axis, Series, lines
from reports import palette
from store import BatchFill

ROOM = 1.1


def batch_fill(fill: Sequence[BatchFill], axis: Axis) -> go.Figure:
    """Return the mean number of items in an executed batch; one is no batching at all."""
    figure = lines(
        [Series("Items per batch", {s.from_us: s.mean_size for s in fill}, palette.BLUISH_GREEN)],
        axis,
        "items per batch, mean",
        showlegend=False,
    )
    highest = max((step.mean_size for step in fill), default=1.0)
    figure.update_yaxes(range=[0, max(2.0, highest * ROOM)])
    figure.add_hline(y=1, line={"color": palette.GREY, "width": 1, "dash": "longdash"})
    figure.add_annotation(
        text="one at a time",
        xref="paper",
        x=1,
        xanchor="right",
        y=1,
        yanchor="top",
        showarrow=False,
    )
    return figure
