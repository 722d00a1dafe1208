"""Parts add up to the whole and are never further than one from their exact share."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from collectors.prometheus.apportion import apportion


@given(st.integers(0, 10**15), st.dictionaries(st.integers(), st.integers(0, 10**9), min_size=1))
def test_parts_add_up_and_are_fair(whole: int, weights: dict[int, int]) -> None:
    assume(any(weights.values()))
    parts = apportion(whole, weights)
    assert sum(parts.values()) == whole
    for key, weight in weights.items():
        exact = Fraction(whole * weight, sum(weights.values()))
        assert abs(parts.get(key, 0) - exact) < 1
        assert parts.get(key, 1) > 0


def test_units_left_over_go_to_who_lost_most_and_to_the_first_of_equals() -> None:
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(1, {"a": 1, "b": 2}) == {"b": 1}
    assert apportion(0, {"a": 1}) == {}
