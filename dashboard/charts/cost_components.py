"""What the money was spent on, step by step."""

from collections.abc import Sequence

import plotly.graph_objects as go

from costs import TICKS_PER_USD, Components
from dashboard.charts.over_time import Axis, Series, stacked
from reports import palette

# Name of a component, what it is called, its colour, how dense its area is drawn.
COMPONENTS = (
    ("compute", "Compute used", palette.BLUE, "rgba(44, 134, 194, 0.7)"),
    ("network", "Network", palette.BLUISH_GREEN, "rgba(0, 158, 115, 0.6)"),
    ("storage", "Storage", palette.PURPLE, "rgba(181, 96, 155, 0.6)"),
    ("cache", "Cache services", palette.OCHRE, "rgba(168, 123, 0, 0.6)"),
    ("commitment", "Commitments", palette.VERMILLION, "rgba(213, 94, 0, 0.55)"),
    ("idle", "Idle", palette.GREY, palette.IDLE_FILL),
)


def cost_components(per_hour: Sequence[tuple[int, Components]], axis: Axis) -> go.Figure:
    """Return stacked areas of `per_hour`, ticks per hour by the beginning of a step, in USD per
    hour; a component that never cost anything is left out.
    """
    series = [
        Series(
            called,
            {start: float(getattr(parts, name)) / TICKS_PER_USD for start, parts in per_hour},
            color,
            fill=fill,
            hover="%{y:.4~r} USD/h",
        )
        for name, called, color, fill in COMPONENTS
        if any(getattr(parts, name) for _, parts in per_hour)
    ]
    return stacked(series, axis, "USD per hour")
