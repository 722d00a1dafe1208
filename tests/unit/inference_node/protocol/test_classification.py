"""The largest values of an output, with their places and names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.protocol.classification import top_classes


def test_each_item_has_its_own_largest_values_in_falling_order() -> None:
    tensor = np.array([[1, 5, 10, 4], [9, 8, 7, 6]], np.int32)
    assert top_classes(tensor, 2, ()).tolist() == [["10:2", "5:1"], ["9:0", "8:1"]]


def test_more_classes_than_there_are_give_all_of_them() -> None:
    tensor = np.array([[1, 2]], np.uint64)
    assert top_classes(tensor, 2**31 - 1, ("a",)).tolist() == [["2:1", "1:0:a"]]


def test_equal_values_come_in_their_order_and_nan_last() -> None:
    tensor = np.array([[np.nan, 0.5, np.inf, 0.5, -np.inf]], np.float32)
    strings = top_classes(tensor, 5, ()).tolist()
    assert strings == [["inf:2", "0.500000:1", "0.500000:3", "-inf:4", "nan:0"]]


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"),
    [
        (np.uint8, 0, 2**8 - 1),
        (np.uint64, 0, 2**64 - 1),
        (np.int64, -(2**63), 2**63 - 1),
        (np.float16, -65504.0, 65504.0),
        (np.float64, -1e308, 1e308),
    ],
)
def test_the_extremes_of_a_datatype_are_in_order(
    dtype: type[np.generic], lowest: float, highest: float
) -> None:
    [strings] = top_classes(np.array([[lowest, highest]], dtype), 2, ()).tolist()
    assert [string.rpartition(":")[2] for string in strings] == ["1", "0"]


def test_the_axes_behind_the_first_are_classes_together() -> None:
    tensor = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    assert top_classes(tensor, 1, ()).tolist() == [["5.000000:5"], ["11.000000:5"]]


def test_odd_shapes_have_classes_too() -> None:
    assert top_classes(np.array(7, np.int8), 1, ()).tolist() == [["7:0"]]
    assert top_classes(np.array([7, 8], np.int8), 3, ()).tolist() == [["7:0"], ["8:0"]]
    assert top_classes(np.empty((0, 3), np.int8), 2, ()).shape == (0, 2)
    assert top_classes(np.empty((2, 0), np.int8), 2, ()).shape == (2, 0)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.integers(1, 60))
def test_it_is_what_sorting_says(values: list[int], count: int) -> None:
    ordered = sorted(range(len(values)), key=lambda index: (-values[index], index))
    expected = [f"{values[index]}:{index}" for index in ordered[:count]]
    assert top_classes(np.array([values], np.int8), count, ()).tolist() == [expected]
