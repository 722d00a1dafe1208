"""Busy time: exact for any interval, whenever it is asked for."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.metering.busy_log import BusyLog
from tests.unit.inference_node.virtual_time import ManualClock


def test_a_span_counts_in_every_interval_for_the_part_that_lies_in_it() -> None:
    clock = ManualClock()
    busy = BusyLog(clock)
    clock.us = 90
    busy.begin(0)
    clock.us = 250
    busy.end(0)
    clock.us = 300

    assert [busy.take(start, start + 100) for start in (0, 100, 200)] == [10, 100, 50]


def test_what_still_executes_counts_up_to_the_end_of_the_interval() -> None:
    clock = ManualClock(40)
    busy = BusyLog(clock)
    busy.begin(0)
    clock.us = 100
    assert busy.take(0, 100) == 60
    clock.us = 130
    busy.end(0)
    assert busy.take(100, 130) == 30
    assert busy.take(130, 500) == 0


def test_an_interval_that_ended_before_a_span_began_holds_nothing_of_it() -> None:
    clock = ManualClock(150)
    busy = BusyLog(clock)
    busy.begin(0)
    clock.us = 170
    assert busy.take(0, 100) == 0
    assert busy.take(100, 170) == 20


def test_workers_add_up() -> None:
    clock = ManualClock()
    busy = BusyLog(clock)
    for worker in range(3):
        busy.begin(worker)
    clock.us = 100
    assert busy.take(0, 100) == 300


def test_begin_and_end_return_the_instants_that_count() -> None:
    clock = ManualClock(7)
    busy = BusyLog(clock)
    assert busy.begin(0) == 7
    clock.us = 19
    assert busy.end(0) == 19


def test_background_time_does_not_count_while_its_worker_executes_something_else() -> None:
    clock = ManualClock(10)
    busy = BusyLog(clock)
    assert busy.begin_background(0) == 10
    clock.us = 30
    busy.begin(0)
    clock.us = 70
    busy.end(0)
    clock.us = 75
    assert busy.end_background(0) == (75, 25)
    assert busy.take(0, 75) == 65


def test_background_work_that_begins_on_a_worker_that_executes_is_suspended_from_the_start() -> (
    None
):
    clock = ManualClock()
    busy = BusyLog(clock)
    busy.begin(0)
    busy.begin_background(0)
    clock.us = 40
    assert busy.end_background(0) == (40, 0)
    clock.us = 50
    busy.end(0)
    assert busy.take(0, 50) == 50


def test_what_is_given_up_counts_until_then_and_its_end_says_the_same() -> None:
    clock = ManualClock(10)
    busy = BusyLog(clock)
    assert busy.give_up(0) is None
    assert busy.give_up_background(0) is None
    busy.begin_background(0)
    clock.us = 20
    busy.begin(0)
    clock.us = 50
    assert busy.give_up(0) == busy.give_up(0) == 50
    clock.us = 53
    assert busy.give_up_background(0) == (53, 13)
    clock.us = 70
    assert busy.give_up_background(0) == (53, 13)
    assert busy.end(0) == 50
    assert busy.end_background(0) == (53, 13)
    assert busy.take(0, 70) == 43
    assert busy.give_up(0) is None
    assert busy.begin(0) == 70
    clock.us = 75
    assert busy.end(0) == 75


Steps = list[tuple[str, int, int]]


@st.composite
def histories(draw: st.DrawFn) -> Steps:
    """What happens, in order: (what, at, worker), with takes at or before the time they happen."""
    steps: Steps = []
    now = taken = 0
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.integers(0, 6))
        what = draw(st.sampled_from(["real time", "background", "take", "give up"]))
        if what == "take":
            # A sampler takes up to a boundary that may have passed a while ago.
            taken = draw(st.integers(taken, now))
            steps.append((what, taken, now))
        else:
            steps.append((what, now, draw(st.integers(0, 2))))
    return [*steps, ("take", now, now)]


@given(histories())
def test_takes_that_tile_time_equal_a_count_microsecond_by_microsecond(steps: Steps) -> None:
    clock = ManualClock()
    busy = BusyLog(clock)
    began: dict[tuple[str, int], int] = {}
    spans: list[tuple[str, int, int, int]] = []
    given_up: dict[tuple[str, int], int | tuple[int, int] | None] = {}
    takes: list[tuple[int, int, int]] = []
    counted: set[tuple[str, int]] = set()
    returned_us = until_us = 0
    for what, at_us, detail in steps:
        if what == "take":
            clock.us = detail
            takes.append((until_us, at_us, busy.take(until_us, at_us)))
            until_us = at_us
            continue
        clock.us = at_us
        if what == "give up":
            for kind, give_up in (
                ("real time", busy.give_up),
                ("background", busy.give_up_background),
            ):
                account = give_up(detail)
                assert (account is None) == ((kind, detail) not in began)
                assert account == given_up.setdefault((kind, detail), account)
                if account is None:
                    del given_up[kind, detail]
                elif (kind, detail) not in counted:
                    counted.add((kind, detail))
                    began_us = began[kind, detail]
                    spans.append((kind, detail, began_us, at_us))
                    returned_us += at_us - began_us if isinstance(account, int) else account[1]
        elif (what, detail) in given_up:
            end = busy.end if what == "real time" else busy.end_background
            assert end(detail) == given_up.pop((what, detail))
            counted.remove((what, detail))
            del began[what, detail]
        elif (what, detail) not in began:
            begin = busy.begin if what == "real time" else busy.begin_background
            began[what, detail] = begin(detail)
        elif what == "real time":
            busy.end(detail)
            began_us = began.pop((what, detail))
            spans.append((what, detail, began_us, at_us))
            returned_us += at_us - began_us
        else:
            returned_us += busy.end_background(detail)[1]
            spans.append((what, detail, began.pop((what, detail)), at_us))
    left = [
        (what, worker, start_us, until_us)
        for (what, worker), start_us in began.items()
        if (what, worker) not in given_up
    ]
    # Every microsecond of every worker in which it executed at least one thing, counted once.
    executing = {
        (worker, instant)
        for _, worker, start_us, end_us in [*spans, *left]
        for instant in range(start_us, end_us)
    }

    for from_us, to_us, taken_us in takes:
        assert taken_us == sum(from_us <= instant < to_us for _, instant in executing)
    if not left:
        assert returned_us == sum(taken_us for _, _, taken_us in takes)


class InterruptedClock(ManualClock):
    """Whoever reads it is held up at once, while 10 us pass and somebody takes what lies behind."""

    busy: BusyLog
    taken_us = 0
    held_up = False

    def now_us(self) -> int:
        read_us = self.us
        if self.held_up:
            self.held_up = False
            self.us += 10
            self.taker = threading.Thread(target=self._take)
            self.taker.start()
            while self.taker.is_alive() and not self.busy._lock.locked():
                pass
        return read_us

    def _take(self) -> None:
        self.taken_us += self.busy.take(0, self.us)


@pytest.mark.parametrize("held_up_at", ["begin", "end"])
def test_nothing_is_lost_or_counted_twice_when_a_take_interrupts_a_worker(held_up_at: str) -> None:
    clock = InterruptedClock(100)
    clock.busy = busy = BusyLog(clock)

    clock.held_up = held_up_at == "begin"
    began_us = busy.begin(0)
    clock.us = 150
    clock.held_up = held_up_at == "end"
    ended_us = busy.end(0)

    clock.taker.join()
    clock.us = 500
    assert clock.taken_us + busy.take(110 if held_up_at == "begin" else 160, 500) == (
        ended_us - began_us
    )
