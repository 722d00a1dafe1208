"""The charts of the Overview page, redrawn only when time moves on.

Streamlit builds a plotly chart anew, and the screen blinks, whenever anything in its figure
changed. The tiles carry what is new every two seconds; a chart of minutes is as good with every
minute, so its figures are kept until the shown period moves. While there is little to show yet it
follows more closely.
"""

from dataclasses import dataclass
from datetime import tzinfo

import plotly.graph_objects as go
import streamlit as st

from dashboard.charts.cost_over_time import cost_over_time
from dashboard.charts.latency_over_time import latency_over_time
from dashboard.steps import drawable_steps
from dashboard.style import CHART_CONFIG, section
from reports import Overview, Targets, Window
from store import Period

KEPT = "overview_charts"
LITTLE_STEPS = 3
CLOSE_FOLLOWING_US = 10_000_000


@dataclass(frozen=True)
class _Occasion:
    """What the charts were drawn for; they are drawn again when it is another."""

    database: str
    window: Window
    period: Period
    targets: Targets
    zone: tzinfo
    moment: int


def draw_charts(
    overview: Overview, targets: Targets, window: Window, database: str, zone: tzinfo
) -> None:
    """Draw cost and latency over time side by side."""
    cost, latency = _figures(overview, targets, window, database, zone)
    with st.container(key="overview-charts"):
        left, right = st.columns(2)
    with left, st.container(border=True, key="cost-over-time"):
        section("Cost over time", "what requests used, and what stood idle on top")
        st.plotly_chart(
            cost,
            key="cost-chart",
            config=CHART_CONFIG,
            alt="Spend in USD per hour, step by step, used and idle",
        )
    with right, st.container(border=True, key="latency-over-time"):
        section("Latency over time", "successful requests, arrival to ready response")
        st.plotly_chart(
            latency,
            key="latency-chart",
            config=CHART_CONFIG,
            alt="Latency p50, p95 and p99 in milliseconds, step by step, with the p99 target",
        )


def _figures(
    overview: Overview, targets: Targets, window: Window, database: str, zone: tzinfo
) -> tuple[go.Figure, go.Figure]:
    steps = drawable_steps(overview, window.step_us)
    little = len(steps) < LITTLE_STEPS
    moment = (overview.state.last_fact_us or 0) // CLOSE_FOLLOWING_US if little else 0
    occasion = _Occasion(database, window, overview.period, targets, zone, moment)
    kept: tuple[_Occasion, tuple[go.Figure, go.Figure]] | None = st.session_state.get(KEPT)
    if kept is not None and kept[0] == occasion:
        return kept[1]
    drawn = (
        cost_over_time(steps, window.step_us, overview.period, zone),
        latency_over_time(steps, window.step_us, overview.period, targets.latency_ms, zone),
    )
    st.session_state[KEPT] = (occasion, drawn)
    return drawn
