"""Charts of the Utilisation and the Data health page: gaps are gaps, units are right."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go
import pytest

from dashboard.charts import commits
from dashboard.charts.batch_fill import batch_fill
from dashboard.charts.frame import point_sizes
from dashboard.charts.idle_by_load import idle_by_load
from dashboard.charts.machine_load import (
    memory,
    queue_depth,
    utilization_over_time,
    workers_over_time,
)
from dashboard.charts.over_time import Axis
from reports import WorkerStep
from store import MINUTE_US, BatchFill, CommitMinute, LoadPoint, Period, Utilization
from tests.fixtures_usage import MONDAY_US

AXIS = Axis(Period(MONDAY_US, MONDAY_US + 4 * MINUTE_US), MINUTE_US, UTC)
STEP = Utilization(
    from_us=MONDAY_US,
    key=(),
    nodes=1,
    uptime_us=MINUTE_US,
    capacity_us=2 * MINUTE_US,
    busy_us=MINUTE_US,
    cpu_busy_us=MINUTE_US / 4,
    loading_us=0,
    queue_depth_us=3 * MINUTE_US,
    queue_depth_max=9,
    memory_bytes_max=2**30,
    gpu_uptime_us=0,
    gpu_busy_us=0.0,
    gpu_energy_j=0.0,
    gpu_memory_bytes_max=None,
)
LATER = replace(STEP, from_us=MONDAY_US + 2 * MINUTE_US, capacity_us=0, busy_us=0)
COMMITS = CommitMinute(MONDAY_US, 2, 600, 60, 3, 4_000_000, 90_000, 80_000, 50_000)


def series(figure: go.Figure) -> dict[str, list[Any]]:
    return {trace.name: list(trace.y) for trace in figure.data}


def test_a_step_without_a_machine_is_a_gap_and_so_is_one_without_a_worker() -> None:
    found = series(utilization_over_time([STEP, LATER], AXIS))
    assert found == {"Workers": [0.5, None, None, None], "CPU": [0.25, None, 0.25, None]}


def test_a_gpu_has_a_line_where_one_was_measured() -> None:
    gpu = replace(STEP, gpu_uptime_us=MINUTE_US, gpu_busy_us=6e6, gpu_memory_bytes_max=2**31)
    assert series(utilization_over_time([gpu], AXIS))["GPU"][0] == pytest.approx(0.1)
    assert series(memory([gpu, LATER], AXIS)) == {
        "Main memory": [1.0, None, 1.0, None],
        "GPU memory": [2.0, None, None, None],
    }


def test_workers_and_queues_are_drawn_as_they_were() -> None:
    assert series(workers_over_time([WorkerStep(MONDAY_US, 6.0, 1.5)], AXIS)) == {
        "Ready": [6.0, None, None, None],
        "Busy": [1.5, None, None, None],
    }
    figure = queue_depth([STEP], AXIS)
    assert series(figure)["Mean"][0] == 3.0
    assert series(figure)["Most when sampled"][0] == 9.0
    assert figure.layout.yaxis.range[1] > 9


def test_the_fill_of_batches_is_held_against_one_at_a_time() -> None:
    figure = batch_fill([BatchFill(MONDAY_US, {4: 8, 2: 2})], AXIS)
    assert series(figure)["Items per batch"][0] == pytest.approx(10 / 3)
    [label] = figure.layout.annotations
    assert (label.text, label.y) == ("one at a time", 1)


def test_a_point_of_load_is_named_by_its_time() -> None:
    point = LoadPoint(MONDAY_US, 120, MINUTE_US, 2 * MINUTE_US, 0, MINUTE_US / 10)
    [points] = idle_by_load([point], UTC).data
    assert (list(points.x), list(points.y)) == ([2.0], [pytest.approx(0.9)])
    assert list(points.text) == ["03 Nov, 14:00"]


def test_a_point_without_neighbours_is_seen_among_many_that_make_a_line() -> None:
    values = [1.0] * 30 + [None, 2.0, None]
    assert point_sizes(values) == [0] * 31 + [5, 0]
    assert point_sizes([1.0, 1.0, None]) == [5, 5, 5]


def test_points_stand_in_the_middle_of_their_step() -> None:
    [line, *_] = utilization_over_time([STEP], AXIS).data
    assert line.x[0] == datetime(2025, 11, 3, 14, 0, 30)  # noqa: DTZ001 - a wall clock


def test_commits_of_a_step_are_added_up_and_the_worst_of_it_is_kept() -> None:
    axis = replace(AXIS, step_us=2 * MINUTE_US)
    worse = replace(COMMITS, minute_us=MONDAY_US + MINUTE_US, lag_us_max=9_000_000)
    both = [COMMITS, worse]
    assert series(commits.lag(both, axis)) == {"Longest delay": [9.0, None]}
    assert series(commits.stored(both, axis)) == {
        "Records stored": [10.0, None],
        "Lines rejected": [0.05, None],
    }
    assert series(commits.lock(both, axis)) == {
        "Longest wait for readers": [80.0, None],
        "Held per commit, mean": [25.0, None],
    }


def test_the_minute_that_runs_is_no_dip_in_what_is_stored() -> None:
    axis = replace(AXIS, step_us=2 * MINUTE_US)
    minutes = [replace(COMMITS, minute_us=MONDAY_US + n * MINUTE_US) for n in (2, 3)]
    assert series(commits.stored(minutes, axis))["Records stored"] == [None, 10.0]


def test_without_a_rejected_line_there_is_no_line_of_them() -> None:
    assert list(series(commits.stored([replace(COMMITS, rejected=0)], AXIS))) == ["Records stored"]


def test_charts_without_data_are_empty_frames() -> None:
    for draw in (utilization_over_time, queue_depth, memory):
        draw([], AXIS)
    workers_over_time([], AXIS)
    batch_fill([], AXIS)
    idle_by_load([], UTC)
    for chart in (commits.lag, commits.stored, commits.lock):
        chart([], AXIS)
