"""Waits grow, stay within bounds, and begin anew after a success."""

import random

from hypothesis import given
from hypothesis import strategies as st

from collectors.back_off import BackOff


@given(st.integers(), st.integers(1, 40))
def test_each_wait_is_at_most_twice_the_bound_before_and_never_above_the_longest(
    seed: int, count: int
) -> None:
    back_off = BackOff(random.Random(seed), first_s=0.1, longest_s=5.0)
    bound_s = 0.1
    for _ in range(count):
        assert bound_s / 2 <= back_off.next_s() <= bound_s
        bound_s = min(2 * bound_s, 5.0)
    back_off.reset()
    assert back_off.next_s() <= 0.1
