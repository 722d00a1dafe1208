"""Runs of a node: one after the other, on the machine of the time, away when it is taken."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.history.boots import SHORTEST_US, Boot, boots_of
from simulator.history.story import DAY_US, HOUR_US, Machine, Node

MONDAY_US = 1_791_763_200 * 1_000_000
FIRST = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
SECOND = Machine("aws", "us-east-1", "c7i.xlarge", "reserved")
STEADY = Node("steady", ((0, FIRST), (3 * DAY_US, SECOND)))
TAKEN_ON_SHIFT = Node("both", ((0, FIRST),), shift=(5, 22), interruptions=20.0, away_us=HOUR_US)
SPOT = Node("spot", ((0, FIRST),), interruptions=20.0, away_us=HOUR_US)


def runs(node: Node, from_us: int, to_us: int, seed: int = 1) -> list[Boot]:
    return boots_of(node, 0, seed, MONDAY_US, MONDAY_US + from_us, MONDAY_US + to_us)


def test_a_change_of_the_machine_ends_a_run_and_begins_another() -> None:
    found = runs(STEADY, DAY_US, 5 * DAY_US)
    assert [(boot.machine, boot.from_us - MONDAY_US, boot.to_us - MONDAY_US) for boot in found] == [
        (FIRST, DAY_US, 3 * DAY_US),
        (SECOND, 3 * DAY_US, 5 * DAY_US),
    ]
    assert [boot.machine for boot in runs(STEADY, 4 * DAY_US, 5 * DAY_US)] == [SECOND]
    assert [boot.machine for boot in runs(STEADY, 0, DAY_US)] == [FIRST]


def test_a_machine_that_is_given_back_may_come_again() -> None:
    node = Node(
        "for a while", ((0, FIRST), (DAY_US, None), (2 * DAY_US, SECOND), (3 * DAY_US, None))
    )
    found = runs(node, 0, 5 * DAY_US)
    assert [(boot.machine, boot.from_us - MONDAY_US, boot.to_us - MONDAY_US) for boot in found] == [
        (FIRST, 0, DAY_US),
        (SECOND, 2 * DAY_US, 3 * DAY_US),
    ]


def test_what_is_too_short_to_serve_is_no_run() -> None:
    assert runs(STEADY, 0, SHORTEST_US) == []
    assert len(runs(STEADY, 0, SHORTEST_US + STEADY.loading_us)) == 1


@given(
    seed=st.integers(0, 2**32),
    cut_us=st.integers(0, 7 * DAY_US),
    node=st.sampled_from([STEADY, SPOT, TAKEN_ON_SHIFT]),
)
def test_runs_follow_each_other_and_interruptions_do_not_depend_on_who_asks(
    seed: int, cut_us: int, node: Node
) -> None:
    whole = runs(node, 0, 7 * DAY_US, seed)
    for before, after in pairwise(whole):
        assert before.to_us <= after.from_us
    parts = runs(node, 0, cut_us, seed) + runs(node, cut_us, 7 * DAY_US, seed)
    edges = {edge for boot in whole for edge in (boot.from_us, boot.to_us)}
    cut = MONDAY_US + cut_us
    # Beside the cut nothing begins or ends elsewhere, but for runs too short to be any.
    for boot in parts:
        assert {boot.from_us, boot.to_us} <= edges | {cut}


def test_a_shift_is_on_weekdays_between_two_hours() -> None:
    node = Node("shift", ((DAY_US, FIRST),), shift=(7, 20))
    found = [(b.from_us - MONDAY_US, b.to_us - MONDAY_US) for b in runs(node, 0, 8 * DAY_US)]
    # There is no machine on Monday yet, and none at the weekend; then it is Monday again.
    assert found == [
        (day * DAY_US + 7 * HOUR_US, day * DAY_US + 20 * HOUR_US) for day in (1, 2, 3, 4, 7)
    ]
    late = runs(node, DAY_US + 8 * HOUR_US, DAY_US + 9 * HOUR_US)
    assert [(b.from_us, b.to_us) for b in late] == [
        (MONDAY_US + DAY_US + 8 * HOUR_US, MONDAY_US + DAY_US + 9 * HOUR_US)
    ]


def test_a_spot_machine_is_away_for_a_while() -> None:
    found = runs(SPOT, 0, 7 * DAY_US)
    assert len(found) > 5
    away = [after.from_us - before.to_us for before, after in pairwise(found)]
    assert min(away) >= SPOT.away_us
