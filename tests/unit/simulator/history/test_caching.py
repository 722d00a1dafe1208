"""Who is answered from a cache: the same as by going through the requests one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.history.caching import NOBODY, leaders


def one_by_one(arrived: list[int], entries: list[int], idle_us: list[int]) -> list[int]:
    known: dict[int, tuple[int, int]] = {}
    found = []
    for place, (at, entry, idle) in enumerate(zip(arrived, entries, idle_us, strict=True)):
        leader = NOBODY
        if entry >= 0 and entry in known and at - known[entry][0] <= idle:
            leader = known[entry][1]
        known[entry] = (at, place if leader == NOBODY else leader)
        found.append(leader)
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(-1, 3), st.integers(0, 20)),
        min_size=1,
        max_size=50,
    )
)
def test_leaders_are_those_of_a_cache_that_forgets_what_is_not_used(
    requests: list[tuple[int, int, int]],
) -> None:
    arrived = np.cumsum([gap for gap, _, _ in requests])
    entries, idle = ([row[column] for row in requests] for column in (1, 2))
    found = leaders(arrived, np.array(entries), np.array(idle))
    assert found.tolist() == one_by_one(arrived.tolist(), entries, idle)


def test_nobody_asks_and_nobody_is_answered() -> None:
    assert leaders(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)).size == 0
