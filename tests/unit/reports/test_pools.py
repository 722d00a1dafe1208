"""Days of the calendar within a period."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reports.pools import by_day
from store import DAY_US, MINUTE_US, Period

MINUTES = st.integers(0, 5 * DAY_US // MINUTE_US)


@given(st.tuples(MINUTES, MINUTES).map(sorted))
def test_steps_of_a_day_lie_in_one_day_each_and_cover_the_period(edges: list[int]) -> None:
    from_us, to_us = edges[0] * MINUTE_US, (edges[1] + 1) * MINUTE_US
    pieces = list(by_day(Period(from_us, to_us)))
    assert (pieces[0].from_us, pieces[-1].to_us) == (from_us, to_us)
    assert all(one.to_us == other.from_us for one, other in pairwise(pieces))
    assert len(pieces) <= 3
    for piece in pieces:
        for start in range(piece.from_us, piece.to_us, DAY_US):
            end = min(start + DAY_US, piece.to_us)
            assert start // DAY_US == (end - 1) // DAY_US
