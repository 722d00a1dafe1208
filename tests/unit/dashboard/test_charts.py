"""Charts: what was measured is what is drawn."""

import math
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import plotly.graph_objects as go
import pytest

from costs import TICKS_PER_USD, Cost
from dashboard.charts.cost_by_latency import cost_by_latency
from dashboard.charts.cost_over_time import cost_over_time
from dashboard.charts.latency_over_time import latency_over_time
from reports import Figures, LatencyTargets, RequestCost
from reports.figures import NOTHING, Facts, figures
from store import MINUTE_US, Period
from tests.fixtures_usage import MONDAY_US, logged_request

PERIOD = Period(MONDAY_US, MONDAY_US + 15 * MINUTE_US)
TARGETS = LatencyTargets(p50=10, p95=40, p99=80)


def step(minute: int, **overrides: Any) -> tuple[int, Figures]:
    """Return a minute that cost 0.6 USD per hour, a quarter of it used by requests."""
    facts: dict[str, Any] = {
        "covered_us": MINUTE_US,
        "requests": 100,
        "failures": 0,
        "latency": Counter({400: 100}),
        "capacity_us": MINUTE_US,
        "busy_us": MINUTE_US // 4,
        "cost": Cost(TICKS_PER_USD // 100, Fraction(TICKS_PER_USD, 400)),
    }
    return MONDAY_US + minute * MINUTE_US, figures([Facts(**{**facts, **overrides})])


def at(minute: int) -> datetime:
    """Return a minute after two as plotly draws it: a wall clock without a zone."""
    return datetime(2025, 11, 3, 14, minute, tzinfo=UTC).replace(tzinfo=None)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    [found] = [trace for trace in figure.data if trace.name == name]
    return found


def test_used_and_idle_cost_are_stacked_and_sum_to_the_spend() -> None:
    figure = cost_over_time([step(0), step(1)], MINUTE_US, PERIOD, UTC)
    used, idle = trace(figure, "Used by requests"), trace(figure, "Idle")
    assert list(used.y) == pytest.approx([0.15, 0.15, 0.15])
    assert list(idle.y) == pytest.approx([0.45, 0.45, 0.45])
    assert used.stackgroup == idle.stackgroup is not None


def test_cost_is_level_within_a_step_and_drawn_to_the_end_of_the_last() -> None:
    figure = cost_over_time([step(0), step(1)], MINUTE_US, PERIOD, UTC)
    used = trace(figure, "Used by requests")
    assert used.line.shape == "hv"
    assert list(used.x) == [at(minute) for minute in (0, 1, 2)]


def test_a_step_without_cost_is_at_zero() -> None:
    figure = cost_over_time([step(0, cost=NOTHING.cost)], MINUTE_US, PERIOD, UTC)
    assert [list(part.y) for part in figure.data] == [[0.0, 0.0], [0.0, 0.0]]


def test_latency_has_a_line_per_quantile_on_a_logarithmic_axis() -> None:
    figure = latency_over_time([step(0), step(1)], MINUTE_US, PERIOD, TARGETS, UTC)
    assert [line.name for line in figure.data] == ["p99", "p95", "p50"]
    assert figure.layout.yaxis.type == "log"
    assert len({line.line.dash for line in figure.data}) == 3


def test_a_step_without_a_request_is_a_gap_in_the_latency() -> None:
    steps = [step(0), step(1, requests=0, latency=Counter()), step(2)]
    line = trace(latency_over_time(steps, MINUTE_US, PERIOD, TARGETS, UTC), "p99")
    assert line.y[1] is None
    assert not line.connectgaps


def test_the_target_line_is_labelled_and_in_sight() -> None:
    figure = latency_over_time([step(0)], MINUTE_US, PERIOD, TARGETS, UTC)
    [line], [label] = figure.layout.shapes, figure.layout.annotations
    assert (line.y0, line.y1) == (80, 80)
    assert label.text == "p99 target 80 ms"
    low, high = figure.layout.yaxis.range
    assert label.y == pytest.approx(math.log10(80))
    assert low < label.y < high


@pytest.mark.parametrize("steps", [[], [step(0, requests=0, latency=Counter())]])
def test_charts_without_data_are_empty_frames(steps: list[tuple[int, Figures]]) -> None:
    cost_over_time(steps, MINUTE_US, PERIOD, UTC)
    latency_over_time(steps, MINUTE_US, PERIOD, TARGETS, UTC)
    cost_by_latency([])


def test_both_charts_span_the_whole_window() -> None:
    for figure in (
        cost_over_time([step(3)], MINUTE_US, PERIOD, UTC),
        latency_over_time([step(3)], MINUTE_US, PERIOD, TARGETS, UTC),
    ):
        assert figure.layout.xaxis.range == (at(0), at(15))


def test_requests_are_told_apart_by_batch_and_outcome_and_unknown_costs_are_left_out() -> None:
    cost = Fraction(TICKS_PER_USD, 10**6)
    rows = [
        RequestCost(logged_request(), cost, cost),
        RequestCost(logged_request(batch_size=4), cost / 4, cost),
        RequestCost(logged_request(executed=False, batch_size=0), Fraction(0), Fraction(0)),
        RequestCost(logged_request(status=503, executed=False), Fraction(0), Fraction(0)),
        RequestCost(logged_request(), None, None),
    ]
    figure = cost_by_latency(rows)
    points = {part.name: list(zip(part.x, part.y, strict=True)) for part in figure.data}
    assert points == {
        "batch of one": [(2.08, 1.0)],
        "larger batch": [(2.08, 0.25)],
        "not executed": [(2.08, 0.0)],
        "failed": [(2.08, 0.0)],
    }


def test_what_nobody_waited_for_is_no_point_in_cost_by_latency() -> None:
    rows = [
        RequestCost(logged_request(route=route), Fraction(1), Fraction(1))
        for route in ("direct", "split", "cascade", "shadow", "cascade_attempt")
    ]
    assert sum(len(trace.x) for trace in cost_by_latency(rows).data) == 3


def test_what_others_used_stands_between_a_slice_and_what_was_idle() -> None:
    one = step(0, others=Fraction(TICKS_PER_USD, 1_600))
    figure = cost_over_time([one], MINUTE_US, PERIOD, UTC, sliced=True)
    assert [part.name for part in figure.data] == [
        "Used by the filtered requests",
        "Used by others",
        "Idle",
    ]
    assert [part.y[0] for part in figure.data] == pytest.approx([0.1125, 0.0375, 0.45])
