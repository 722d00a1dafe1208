"""A store that fails is asked by one, now and then; one that works by all."""

from inference_node.cache.breaker import LONGEST_PAUSE_US, SHORTEST_PAUSE_US, Breaker
from tests.unit.inference_node.virtual_time import ManualClock


def entered(breaker: Breaker) -> int:
    attempt = breaker.enter()
    assert attempt is not None
    return attempt


def test_while_all_is_well_everybody_may_ask() -> None:
    breaker = Breaker(ManualClock())
    attempts = [entered(breaker) for _ in range(3)]
    assert not any(breaker.succeeded(attempt) for attempt in attempts)
    assert not breaker.is_open


def test_after_a_failure_nobody_asks_until_the_pause_is_over_and_then_one_does() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, lambda: 0.0)
    assert breaker.failed(entered(breaker))
    clock.us += SHORTEST_PAUSE_US - 1
    assert breaker.enter() is None
    clock.us += 1
    attempt = entered(breaker)
    assert breaker.enter() is None
    assert breaker.succeeded(attempt)
    assert breaker.enter() is not None


def test_pauses_double_up_to_the_longest_and_begin_short_again_after_a_success() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, lambda: 0.0)

    def pause_us() -> int:
        breaker.failed(entered(breaker))
        began_us = clock.us
        while breaker.enter() is None:
            clock.us += SHORTEST_PAUSE_US
        breaker.gave_up(breaker._attempt)
        return clock.us - began_us

    pauses = [pause_us() for _ in range(9)]
    assert pauses[:4] == [SHORTEST_PAUSE_US * factor for factor in (1, 2, 4, 8)]
    assert pauses[-2:] == [LONGEST_PAUSE_US] * 2
    breaker.succeeded(entered(breaker))
    assert pause_us() == SHORTEST_PAUSE_US


def test_chance_cuts_a_pause_by_up_to_a_half() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, lambda: 1.0)
    breaker.failed(entered(breaker))
    clock.us += SHORTEST_PAUSE_US // 2
    assert breaker.enter() is not None


def test_failures_of_one_moment_count_once() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, lambda: 0.0)
    attempts = [entered(breaker) for _ in range(10)]
    assert [breaker.failed(attempt) for attempt in attempts] == [True, *[False] * 9]
    clock.us += SHORTEST_PAUSE_US
    late = entered(breaker)
    assert not breaker.succeeded(attempts[0]), "from before the failure"
    assert not breaker.failed(late), "the second in a row"
    clock.us += SHORTEST_PAUSE_US
    assert breaker.enter() is None


def test_an_attempt_that_was_given_up_leaves_its_place_to_another() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, lambda: 0.0)
    breaker.failed(entered(breaker))
    clock.us += SHORTEST_PAUSE_US
    breaker.gave_up(entered(breaker))
    assert breaker.enter() is not None
