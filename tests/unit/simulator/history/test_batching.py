"""Batches of the made-up queue keep the rule of docs/definitions.md."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.history import Curve, Version
from simulator.history.batching import Executions, execute

ONE = Version("one", "1", "fp32", Curve.straight(90.0, 10.0, 0.0), 3, 50, 400)
ALONE = Version("alone", "1", "fp32", Curve.straight(200.0, 0.0, 0.0), 1, 0, 10**6)


def executed(
    arrived: list[int], *, items: list[int] | None = None, version: list[int] | None = None,
    work: list[float] | None = None, workers: int = 1,
) -> Executions:  # fmt: skip
    count = len(arrived)
    return execute(
        np.array(arrived, np.int64),
        np.array(version or [0] * count, np.int64),
        np.array(items or [1] * count, np.int64),
        np.array(work or [1.0] * count),
        versions=(ONE, ALONE),
        workers=workers,
    )


def test_a_lone_request_waits_for_company_as_long_as_allowed() -> None:
    found = executed([1000])
    assert found.began_us.tolist() == [1050]
    assert found.compute_us.tolist() == [100]


def test_a_batch_leaves_when_it_is_full() -> None:
    found = executed([1000, 1010, 1030, 1040])
    assert found.began_us.tolist() == [1030, 1030, 1030, 1150]
    assert found.batch_size.tolist() == [3, 3, 3, 1]
    assert found.batch_id.tolist() == [1, 1, 1, 2]
    assert found.compute_us.tolist() == [120, 120, 120, 100]


def test_what_does_not_fit_lets_the_others_go() -> None:
    found = executed([1000, 1020], items=[2, 2])
    assert found.began_us.tolist() == [1020, 1020 + 110]
    assert found.batch_size.tolist() == [2, 2]


def test_a_busy_worker_collects_what_comes_meanwhile() -> None:
    found = executed([1000, 1060, 1149, 1151])
    # The first leaves at 1050 and keeps the worker until 1150.
    assert found.began_us.tolist() == [1050, 1150, 1150, 1150 + 110]


def test_a_second_worker_takes_what_the_first_cannot() -> None:
    found = executed([1000, 1060], workers=2)
    assert found.began_us.tolist() == [1050, 1110]
    assert sorted(found.worker.tolist()) == [0, 1]


def test_a_batch_takes_as_long_as_its_longest() -> None:
    assert executed([1000, 1001], work=[1.0, 2.5]).compute_us.tolist() == [275, 275]


def test_who_waits_too_long_is_refused_in_time() -> None:
    found = executed([0, 100, 700], version=[1, 0, 0], work=[3.0, 1.0, 1.0])
    # Busy until 600 with the first; the second may wait until 500.
    assert found.began_us.tolist() == [0, 500, 750]
    assert found.batch_size.tolist() == [1, 0, 1]


REQUESTS = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 1), st.integers(1, 3), st.floats(0.2, 4.0)),
    max_size=40,
)


@given(requests=REQUESTS, workers=st.integers(1, 3))
def test_no_worker_does_two_things_and_none_idles_while_a_batch_is_due(
    requests: list[tuple[int, int, int, float]], workers: int
) -> None:
    arrived = np.cumsum([gap for gap, *_ in requests]).tolist() if requests else []
    version = [number for _, number, _, _ in requests]
    # A request of the version that is never batched has one item.
    items = [1 if number else size for _, number, size, _ in requests]
    found = executed(
        arrived, items=items, version=version, work=[row[3] for row in requests], workers=workers
    )
    batches: dict[int, list[int]] = {}
    for place, number in enumerate(found.batch_id.tolist()):
        if number:
            batches.setdefault(number, []).append(place)
        else:
            assert (
                found.began_us[place]
                == arrived[place] + (ONE, ALONE)[version[place]].queue_timeout_us
            )
    free = [0] * workers
    for number in sorted(batches):
        members = batches[number]
        [began] = {int(found.began_us[place]) for place in members}
        [worker] = {int(found.worker[place]) for place in members}
        [rule] = {(ONE, ALONE)[version[place]] for place in members}
        total = sum(items[place] for place in members)
        assert {int(found.batch_size[place]) for place in members} == {total}
        assert total <= rule.max_batch_size
        assert free[worker] == min(free) <= began
        assert max(arrived[place] for place in members) <= began
        full = total == rule.max_batch_size
        left = [
            p for p in range(len(arrived)) if version[p] == version[members[0]] and p > members[-1]
        ]
        next_came = arrived[left[0]] if left else None
        no_room = next_came is not None and total + items[left[0]] > rule.max_batch_size
        due = arrived[members[0]] + rule.max_queue_delay_us
        if full:
            due = min(due, arrived[members[-1]])
        elif no_room and next_came is not None:
            due = min(due, next_came)
        assert began == max(min(free), due)
        if next_came is not None and not full and not no_room:
            assert next_came > began
        free[worker] = began + int(found.compute_us[members[0]])
