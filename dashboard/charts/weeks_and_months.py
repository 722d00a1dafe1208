"""A figure over six weeks beside twelve months."""

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.frame import framed
from reports import palette
from reports.weekly import Counted, Stretch
from reports.weekly.drawing import FAINT


def weeks_and_months(
    weeks: Sequence[Stretch],
    months: Sequence[Stretch],
    figure_of: Callable[[Counted], float | None],
    y_title: str,
    limit: float | None = None,
) -> go.Figure:
    """Return columns in two panels, each with a scale of its own: a month is more than a week.

    Faint where a time is not whole, hatched where it is simulated. `limit` is a line across both.
    """
    panels = [_columns(weeks, figure_of, "x", "y"), _columns(months, figure_of, "x2", "y2")]
    figure = framed(panels, y_title=y_title, showlegend=False, hovermode="closest", bargap=0.25)
    figure.update_layout(
        xaxis={"domain": [0, 0.38], **_ticks(weeks)},
        xaxis2={"domain": [0.5, 1], "anchor": "y2", "automargin": True, **_ticks(months)},
        yaxis={"rangemode": "tozero"},
        yaxis2={
            "anchor": "x2",
            "rangemode": "tozero",
            "gridcolor": palette.GRID,
            "zeroline": False,
            "automargin": True,
            "title": None,
        },
    )
    if limit is not None:
        for x, y in (("x domain", "y"), ("x2 domain", "y2")):
            figure.add_shape(
                type="line", xref=x, yref=y, x0=0, x1=1, y0=limit, y1=limit,
                line={"color": palette.VERMILLION, "dash": "dash", "width": 1},
            )  # fmt: skip
    return figure


def _ticks(stretches: Sequence[Stretch]) -> dict[str, Any]:
    return {
        "type": "category",
        "showgrid": False,
        "hoverformat": None,
        "tickmode": "array",
        "tickvals": [one.name for one in stretches],
        "ticktext": [one.label for one in stretches],
        "tickangle": 0,
    }


def _columns(
    stretches: Sequence[Stretch],
    figure_of: Callable[[Counted], float | None],
    x: str,
    y: str,
) -> go.Bar:
    values = [None if one.counted is None else figure_of(one.counted) for one in stretches]
    return go.Bar(
        x=[one.name for one in stretches],
        y=values,
        xaxis=x,
        yaxis=y,
        marker={
            "color": palette.BLUE,
            "opacity": [1.0 if one.whole else FAINT for one in stretches],
            "pattern": {"shape": ["/" if one.simulated else "" for one in stretches]},
        },
        customdata=[
            ("" if one.whole else ", not whole") + (", simulated" if one.simulated else "")
            for one in stretches
        ],
        hovertemplate="%{x}: %{y:.4~r}%{customdata}<extra></extra>",
    )
