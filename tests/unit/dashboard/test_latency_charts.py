"""Charts of the Latency page: what was measured is what is drawn."""

import math
from datetime import UTC
from typing import Any

import plotly.graph_objects as go
import pytest

from dashboard.charts.latency_heat_map import latency_heat_map
from dashboard.charts.over_time import Axis
from dashboard.charts.percentile_curve import percentile_curve
from dashboard.charts.stage_split import stage_means, stage_shares
from reports import LatencyTargets
from store import MINUTE_US, HeatMap, Period, Stages
from tests.fixtures_usage import MONDAY_US

TARGETS = LatencyTargets(p50=10, p95=40, p99=80)
AXIS = Axis(Period(MONDAY_US, MONDAY_US + 3 * MINUTE_US), MINUTE_US, UTC)
# Bucket 460 is about 9 ms, 560 about 65 ms, 600 about 144 ms.
COUNTS = {460: 9_000, 560: 900, 600: 100}


def trace(figure: go.Figure, name: str) -> Any:
    [found] = [one for one in figure.data if one.name == name]
    return found


def test_the_curve_is_drawn_over_the_logarithm_of_what_is_slower() -> None:
    line = trace(percentile_curve(COUNTS, TARGETS), "Latency")
    assert list(line.x) == pytest.approx([1.0, 2.0])
    assert list(line.y) == pytest.approx([9.0, 65.1], rel=0.02)
    assert list(line.text) == ["90", "99"]


def test_the_part_of_few_requests_is_dotted_and_goes_on_where_the_sure_one_ends() -> None:
    figure = percentile_curve(COUNTS, TARGETS)
    sure, unsure = trace(figure, "Latency"), trace(figure, "too few requests to be sure")
    assert unsure.line.dash == "dot"
    assert (unsure.x[0], unsure.y[0]) == (sure.x[-1], sure.y[-1])
    assert unsure.y[-1] == pytest.approx(144, rel=0.03)


def test_targets_stand_at_their_percentiles_in_sight() -> None:
    figure = percentile_curve({300: 10}, TARGETS)
    line = trace(figure, "Target")
    assert list(line.x) == pytest.approx([-math.log10(1 - q) for q in (0.5, 0.95, 0.99)])
    assert list(line.y) == [10, 40, 80]
    low, high = figure.layout.yaxis.range
    assert low < math.log10(10) < math.log10(80) < high


def test_the_axis_is_ticked_from_the_50th_percentile_to_the_99_99th() -> None:
    figure = percentile_curve(COUNTS, TARGETS)
    assert figure.layout.xaxis.ticktext == ("50", "75", "90", "95", "99", "99.9", "99.99")


def test_a_cell_of_the_heat_map_is_as_dense_as_the_logarithm_of_its_count() -> None:
    rows = ((900.0, 1_000.0), (1_000.0, 1_100.0))
    heat_map = HeatMap(rows, {(MONDAY_US, 0): 9, (MONDAY_US + MINUTE_US, 1): 1_234})
    [cells] = latency_heat_map(heat_map, AXIS, TARGETS).data
    assert [list(row) for row in cells.z] == [
        [1.0, None, None],
        [None, pytest.approx(math.log10(1_235)), None],
    ]
    assert cells.text[1][1] == "1,234"
    # Edges, one more than there are cells: a cell is exactly where its requests were.
    assert list(cells.y) == [0.9, 1.0, 1.1]
    assert len(cells.x) == 4


def test_stages_are_stacked_to_the_mean_and_to_the_whole() -> None:
    stages = [Stages(MONDAY_US, 2, 2_000, 5_000, 8_000)]
    means = stage_means(stages, AXIS)
    assert {one.name: one.y[0] for one in means.data} == {
        "Compute": 2.5,
        "Queue": 1.0,
        "Overhead": 0.5,
    }
    shares = stage_shares(stages, AXIS)
    assert sum(one.y[0] for one in shares.data) == pytest.approx(1)
    assert {one.stackgroup for one in shares.data} == {"all"}


def test_without_a_request_there_are_empty_frames() -> None:
    percentile_curve({}, TARGETS)
    latency_heat_map(HeatMap((), {}), AXIS, TARGETS)
    for draw in (stage_means, stage_shares):
        assert all(len(one.x) == 0 for one in draw([], AXIS).data)
