"""Lines and stacked areas over the steps of a window: the common part of most charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.frame import framed, local, point_sizes
from store import Period

Values = Mapping[int, float | None]
"""By beginning of step; a step that is missing is a gap."""


@dataclass(frozen=True)
class Axis:
    """What a chart over time is over, and the zone of its reader."""

    period: Period
    step_us: int
    zone: tzinfo

    @property
    def starts(self) -> range:
        """The beginnings of the steps."""
        return range(self.period.from_us, self.period.to_us, self.step_us)


@dataclass(frozen=True)
class Series:
    """One line, or one layer of a stack. `hover` formats a value as plotly does."""

    name: str
    values: Values
    color: str
    dash: str = "solid"
    fill: str | None = None
    hover: str = "%{y:.3~r}"


def lines(series: Sequence[Series], axis: Axis, y_title: str, **layout: Any) -> go.Figure:
    """Return a line for each of `series`, a point in the middle of each step; gaps stay gaps."""
    x = [local(start + axis.step_us // 2, axis.zone) for start in axis.starts]
    traces = []
    for one in series:
        y = [one.values.get(start) for start in axis.starts]
        traces.append(
            go.Scatter(
                name=one.name,
                x=x,
                y=y,
                mode="lines+markers",
                line={"color": one.color, "dash": one.dash, "width": 2},
                marker={"size": point_sizes(y), "opacity": 1, "line": {"width": 0}},
                fill="tozeroy" if one.fill else None,
                fillcolor=one.fill,
                hovertemplate=one.hover,
            )
        )
    return _spanning(framed(traces, y_title=y_title, **layout), axis)


def stacked(series: Sequence[Series], axis: Axis, y_title: str, **layout: Any) -> go.Figure:
    """Return `series` on top of each other, level within a step; a missing step is at zero."""
    present = [s for s in axis.starts if any(one.values.get(s) is not None for one in series)]
    shown = range(present[0], present[-1] + axis.step_us, axis.step_us) if present else range(0)
    # The last step is as wide as any other: its level is drawn up to its end.
    x = [local(start, axis.zone) for start in shown]
    x += [local(shown[-1] + axis.step_us, axis.zone)] if present else []
    traces = []
    for one in series:
        y = [one.values.get(start) or 0.0 for start in shown]
        traces.append(
            go.Scatter(
                name=one.name,
                x=x,
                y=y + y[-1:],
                stackgroup="all",
                mode="lines",
                line={"color": one.color, "width": 1.5, "shape": "hv"},
                fillcolor=one.fill,
                hovertemplate=one.hover,
            )
        )
    figure = _spanning(framed(traces, y_title=y_title, **layout), axis)
    figure.update_yaxes(rangemode="tozero")
    return figure


def _spanning(figure: go.Figure, axis: Axis) -> go.Figure:
    figure.update_xaxes(
        range=[local(axis.period.from_us, axis.zone), local(axis.period.to_us, axis.zone)]
    )
    return figure
