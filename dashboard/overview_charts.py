"""The charts of the Overview page, redrawn only when time moves on.

The tiles carry what is new every two seconds; a chart of minutes is as good with every minute, so
its figures are kept (see dashboard/kept.py) until the shown period moves. While there is little to
show yet it follows more closely.
"""

from dataclasses import dataclass
from datetime import tzinfo

import plotly.graph_objects as go
import streamlit as st

from dashboard.charts.cost_over_time import cost_over_time
from dashboard.charts.latency_over_time import latency_over_time
from dashboard.kept import kept
from dashboard.steps import drawable_steps
from dashboard.style import CHART_CONFIG, section
from reports import Overview, Targets, Window
from store import Filter, Period

PAGE_PATH = "overview"
LITTLE_STEPS = 3
CLOSE_FOLLOWING_US = 10_000_000


@dataclass(frozen=True)
class _Occasion:
    """What the charts were drawn for; they are drawn again when it is another."""

    database: str
    window: Window
    where: Filter
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
        explanation = "what requests used, and what stood idle on top"
        if overview.sliced:
            explanation = "all of the machines: filtered requests, others, idle"
        section("Cost over time", explanation)
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
    steps = drawable_steps(overview, overview.step_us)
    little = len(steps) < LITTLE_STEPS
    moment = (overview.state.last_fact_us or 0) // CLOSE_FOLLOWING_US if little else 0
    occasion = _Occasion(database, window, overview.where, overview.period, targets, zone, moment)
    return kept(
        PAGE_PATH,
        occasion,
        lambda: (
            cost_over_time(steps, overview.step_us, overview.period, zone, sliced=overview.sliced),
            latency_over_time(steps, overview.step_us, overview.period, targets.latency_ms, zone),
        ),
    )
