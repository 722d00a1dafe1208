"""Whole units from exact parts, by largest remainder and by running total."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.apportion import Running, apportion

AMOUNTS = st.lists(st.integers(0, 10**30), min_size=1, max_size=30)


def test_what_is_left_goes_to_those_that_lost_most() -> None:
    # 10 x 1/6, 2/6, 3/6 are 1.67, 3.33 and 5: the first lost most.
    assert apportion(10, [1, 2, 3]) == [2, 3, 5]
    assert apportion(1, [1, 1]) == [1, 0]
    assert apportion(0, [3, 0]) == [0, 0]
    assert apportion(0, []) == []
    assert apportion(7, [0, 5, 0]) == [0, 7, 0]


@given(st.integers(0, 10**18), AMOUNTS)
def test_parts_sum_to_the_total_and_are_within_one_of_the_exact_part(
    total: int, weights: list[int]
) -> None:
    if not sum(weights):
        weights = [1, *weights]
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [0, 0]), (1, []), (3, [2, -1])])
def test_what_cannot_be_shared_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="accepted"):
        apportion(total, weights)


@given(st.lists(st.integers(0, 10**15), max_size=50), st.integers(1, 10**6))
def test_a_running_total_never_drifts_by_more_than_half_a_unit(
    amounts: list[int], unit: int
) -> None:
    running = Running()
    exact, given_so_far = Fraction(0), 0
    for amount in amounts:
        units = running.take(amount, unit)
        assert units >= 0
        exact, given_so_far = exact + Fraction(amount, unit), given_so_far + units
        assert abs(exact - given_so_far) <= Fraction(1, 2)
