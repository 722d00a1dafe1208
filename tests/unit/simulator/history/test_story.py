"""Curves of execution times, and the story of the demo as it is told in the documents."""

import math

import pytest

from simulator.history import Curve, demo_story
from simulator.history.demo.events import (
    CACHED_FROM_US,
    DEPLOYED_AT_US,
    HELPED_FROM_US,
    RESERVED_FROM_US,
    RETIRED_FROM_US,
    RETIRING_FROM_US,
    ROLLED_BACK_AT_US,
)
from simulator.history.story import HOUR_US, WEEK_US

CURVE = Curve((1, 2, 8), (100.0, 110.0, 230.0), 0.1)
STORY = demo_story({"1": CURVE, "2": CURVE})


@pytest.mark.parametrize(
    ("size", "median_us"), [(1, 100.0), (2, 110.0), (5, 170.0), (8, 230.0), (10, 270.0)]
)
def test_a_curve_is_straight_between_its_points_and_beyond(size: int, median_us: float) -> None:
    assert CURVE.median(size) == pytest.approx(median_us)


def test_a_curve_of_one_point_is_flat() -> None:
    assert Curve((4,), (50.0,), 0.0).median(9) == 50.0


def test_a_measured_curve_scatters_as_measured() -> None:
    curve = Curve.measured({2: (110.0, 110.0 * math.exp(0.1645)), 1: (100.0, 100.0)})
    assert curve.batch_sizes == (1, 2)
    assert curve.spread == pytest.approx(0.05)
    assert curve.slower(2.0).median(1) == 200.0


def test_each_event_of_the_story_is_in_its_week() -> None:
    events = (CACHED_FROM_US, RETIRING_FROM_US, DEPLOYED_AT_US, RESERVED_FROM_US, HELPED_FROM_US)
    assert [at_us // WEEK_US + 1 for at_us in events] == [2, 3, 5, 5, 6]
    assert list(events) == sorted(events)
    assert RETIRING_FROM_US < RETIRED_FROM_US < 3 * WEEK_US
    assert 0 < ROLLED_BACK_AT_US - DEPLOYED_AT_US < 24 * HOUR_US
    assert STORY.length_us == 6 * WEEK_US


def test_every_stream_goes_to_nodes_of_the_story_and_made_up_models_say_so() -> None:
    known = {node.node_id for node in STORY.nodes}
    for stream in STORY.streams:
        assert {node_id for node_id, _ in stream.nodes} <= known
        assert stream.labels.keys() == {"team", "project"}
        assert stream.phases[0].from_us == 0
        for phase in stream.phases:
            for version, _ in phase.weights:
                assert version.model == "digits" or version.model.startswith("example-")
                assert stream.most_items <= version.max_batch_size
    assert all(node_id.startswith("sim-") for node_id in known)
