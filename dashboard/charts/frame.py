"""What every chart has in common: no background of its own, quiet axes, one height."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

import plotly.graph_objects as go

from reports import palette
from reports.formatting import instant

HEIGHT_PX = 240
FEW_POINTS = 20
POINT_PX = 5
ONE_DECADE = 10
MANY_DECADES = 1_000


def framed(traces: list[Any], *, y_title: str, **layout: Any) -> go.Figure:
    """Return a figure of `traces` in the common frame; `layout` adds to it."""
    figure = go.Figure(traces)
    common: dict[str, Any] = {
        "height": HEIGHT_PX,
        "margin": {"l": 4, "r": 4, "t": 26, "b": 4, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
    }
    figure.update_layout({**common, **layout})
    figure.update_xaxes(
        showgrid=False,
        automargin=True,
        # Its halo takes the colour of a background that is transparent here: a white bar at night.
        showspikes=False,
        hoverformat="%d %b, %H:%M",
    )
    figure.update_yaxes(
        title={"text": y_title, "standoff": 8},
        gridcolor=palette.GRID,
        zeroline=False,
        automargin=True,
    )
    return figure


def logarithmic(update_axes: Callable[..., Any], low: float, high: float) -> None:
    """Give an axis a logarithmic scale from `low` to `high`, ticked at 1, 2 and 5 of each decade.

    A scale of less than a decade is ticked more closely, or hardly a tick would be on it; one of
    more than three decades at each decade only, or ticks would be upon each other.

    Plotly's own labels of such ticks leave the decade out: a 5 that means 50.
    """
    factors: tuple[float, ...] = (1, 2, 5)
    if high / low > MANY_DECADES:
        factors = (1,)
    elif high / low <= ONE_DECADE:
        factors = (1, 1.5, 2, 3, 4, 5, 6, 8)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    update_axes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )


def point_sizes(values: Sequence[float | None]) -> list[int]:
    """Return the size of the marker of each of `values`, the points of one line.

    With few points a line alone hardly shows; with many, markers hide it, except where a point has
    no neighbour and would be no line at all.
    """
    known = [value is not None for value in values]
    few = sum(known) <= FEW_POINTS
    beside = [False, *known, False]
    return [
        POINT_PX if few or not (beside[place] or beside[place + 2]) else 0
        for place in range(len(known))
    ]


def local(at_us: int, zone: tzinfo) -> datetime:
    """Return an instant as plotly draws it: the reader's wall clock, without a zone."""
    return instant(at_us, zone).replace(tzinfo=None)
