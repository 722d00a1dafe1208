"""A sparkline is a CSS polygon: out along the upper edge of the line and back along the lower."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.sparkline import clip_path


def corners(path: str) -> list[tuple[float, float]]:
    """Return the corners of `path` in percent of the box, the stroke's width left out."""
    found = re.findall(r"calc\((-?[\d.]+)% \+ -?[\d.]+px\)", path)
    numbers = [float(text) for text in found]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


@pytest.mark.parametrize("values", [[], [1.0], [None, 1.0, None]])
def test_fewer_than_two_values_make_no_line(values: list[float | None]) -> None:
    assert clip_path(values) is None


def test_the_line_goes_out_and_back_through_every_value() -> None:
    path = clip_path([0.0, 1.0, 0.5])
    assert path is not None
    assert corners(path) == [(0, 95), (50, 5), (100, 50), (100, 50), (50, 5), (0, 95)]


def test_a_level_series_runs_through_the_middle() -> None:
    path = clip_path([0.1785, 0.1785, 0.1785])
    assert path is not None
    assert {y for _, y in corners(path)} == {50.0}


def test_a_missing_value_is_bridged() -> None:
    path = clip_path([0.0, None, 1.0])
    assert path is not None
    assert len(corners(path)) == 4


def test_a_small_wobble_is_not_blown_up() -> None:
    path = clip_path([100.0, 101.0])
    assert path is not None
    assert all(40 < y < 60 for _, y in corners(path))


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=60))
def test_the_line_stays_in_its_box(values: list[float | None]) -> None:
    path = clip_path(values)
    assert path is None or all(0 <= x <= 100 and 0 <= y <= 100 for x, y in corners(path))
