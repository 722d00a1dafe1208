"""Time that is up, and callers who leave: at the very moment, and nobody else is harmed."""

import gc

import pytest

from inference_node.errors import QueueTimeoutError, StoppingError
from inference_node.models.config import BatchingConfig, QueuePolicy
from inference_node.scheduling.job import Deadline, Job
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.scheduling.stage import Stage, play
from tests.unit.inference_node.virtual_time import turns

REJECT = BatchingConfig(
    max_batch_size=4, default_queue_policy=QueuePolicy(default_timeout_microseconds=500)
)
DELAY = BatchingConfig(
    max_batch_size=4,
    default_queue_policy=QueuePolicy(timeout_action="delay", default_timeout_microseconds=500),
)


def test_a_request_fails_at_the_moment_when_its_time_is_up_though_no_batch_forms() -> None:
    async def story(stage: Stage) -> None:
        executing = await stage.send(0)
        await stage.started(1)
        waiting = await stage.send(1)
        await stage.at(499)
        assert stage.pool.waiting == 1
        await stage.at(500)
        with pytest.raises(QueueTimeoutError, match="waited for 500 us"):
            waiting.result()
        assert stage.pool.waiting == 0
        assert not executing.done()
        await stage.finish(0)
        assert executing.result().error is None
        assert stage.session.batches == [[0]]

    play(story, batching=REJECT)


def test_a_shorter_time_that_a_request_asks_for_is_up_before_those_that_came_earlier() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.started(1)
        patient = await stage.send(1)
        hasty = await stage.send(2, timeout_us=100)
        await stage.at(100)
        assert hasty.done()
        assert not patient.done()
        await stage.at(500)
        assert patient.done()

    play(story, batching=REJECT)


def test_a_request_asks_for_a_time_where_the_model_sets_none() -> None:
    async def story(stage: Stage) -> None:
        request = await stage.send(1, timeout_us=300)
        await stage.at(300)
        with pytest.raises(QueueTimeoutError):
            request.result()

    play(story)


def test_a_request_whose_time_was_up_when_it_reached_the_queue_is_not_executed() -> None:
    async def story(stage: Stage) -> None:
        stage.clock.us = 9000
        request = await stage.send(1, arrived_us=8000)
        with pytest.raises(QueueTimeoutError):
            request.result()
        assert stage.session.started == 0

    play(story, batching=REJECT)


def test_late_requests_are_served_after_the_others_of_their_level_and_before_lower_ones() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.started(1)
        await stage.send(1, priority="high")
        await stage.send(2)
        await stage.at(400)
        await stage.send(3, priority="high")
        await stage.send(4)
        await stage.at(600)
        await stage.finish(0)
        await stage.started(2)
        assert stage.session.batches[1] == [3, 1, 4, 2]

    play(story, batching=DELAY)


def test_a_late_request_waits_for_as_long_as_it_takes() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.started(1)
        late = await stage.send(1)
        await stage.at(100_000)
        assert not late.done()
        await stage.finish(0)
        await stage.started(2)
        await stage.finish(1)
        assert late.result().began_us == 100_000

    play(story, batching=DELAY)


def test_a_caller_who_leaves_while_waiting_is_not_computed_for_and_counts_no_more() -> None:
    async def story(stage: Stage) -> None:
        leaving = await stage.send(1, 2, 3)
        staying = await stage.send(4)
        await stage.started(1)
        third = await stage.send(5, 6, 7)
        fourth = await stage.send(8)
        assert stage.pool.waiting == 2
        third.cancel()
        await turns()
        assert third.cancelled()
        assert stage.pool.waiting == 1
        assert {count for _, _, count in stage.pool.waiting_by_level()} == {0, 1}
        await stage.finish(0)
        assert leaving.result().batch_size == staying.result().batch_size == 4
        assert stage.pool.waiting == 1, "without the other it does not fill a batch"
        await stage.at(1000)
        await stage.started(2)
        await stage.finish(1)
        assert stage.session.batches[1] == [8]
        assert fourth.result().outputs["y"].tolist() == [[8 + SHIFT]]

    play(story)


def test_a_caller_who_leaves_during_execution_does_not_harm_the_others() -> None:
    async def story(stage: Stage) -> None:
        executing = await stage.send(1, 2)
        staying = await stage.send(3, 4)
        await stage.started(1)
        executing.cancel()
        await turns()
        assert not executing.done()
        await stage.finish(0)
        assert executing.result().batch_size == 4, "its machine time is its own"
        assert staying.result().outputs["y"].tolist() == [[3 + SHIFT], [4 + SHIFT]]
        assert staying.result().batch_size == 4

    play(story)


def test_who_is_cancelled_once_more_gets_what_was_executed_until_then() -> None:
    async def story(stage: Stage) -> None:
        clock = stage.clock
        leaving = await stage.send(1)
        staying = await stage.send(2, 3, 4)
        await stage.started(1)
        leaving.cancel()
        await stage.at(500)
        leaving.cancel()
        await turns()
        cut = leaving.result()
        assert isinstance(cut.error, StoppingError)
        assert (cut.began_us, cut.ended_us, cut.compute_us, cut.batch_size) == (0, 500, 500, 4)
        assert stage.busy.take(0, clock.us) == 500
        await stage.at(800)
        await stage.finish(0)
        # One batch is one account.
        assert staying.result().compute_us == 500
        assert staying.result().error is None
        assert stage.busy.take(500, 800) == 0
        after = await stage.send(5)
        await stage.at(1800)
        await stage.started(2)
        await stage.at(1807)
        await stage.finish(1)
        assert after.result().compute_us == 7

    play(story)


@pytest.mark.parametrize("taken_over", [False, True])
def test_background_work_that_is_given_up_is_accounted_for_like_any_other(taken_over: bool) -> None:
    async def story(stage: Stage) -> None:
        leaving = await stage.send(1, 2, 3, 4, priority="batch")
        await stage.started(1)
        await stage.at(300)
        if taken_over:
            await stage.send(5, 6, 7, 8)
            await stage.started(2)
            await stage.at(400)
        leaving.cancel()
        await turns()
        leaving.cancel()
        await turns()
        assert leaving.result().compute_us == 300
        assert stage.busy.take(0, stage.clock.us) == stage.clock.us

    play(story)


def test_all_who_waited_have_left_and_the_next_one_is_served_as_ever() -> None:
    async def story(stage: Stage) -> None:
        for value in (1, 2, 3):
            await stage.send(value, timeout_us=900)
        for request in stage.requests:
            request.cancel()
        await stage.at(2000)
        assert stage.pool.waiting == 0
        assert stage.session.started == 0
        next_one = await stage.send(4)
        await stage.at(3000)
        await stage.started(1)
        await stage.finish(0)
        assert next_one.result().batch_size == 1

    play(story)


def test_requests_that_left_long_before_their_time_was_up_are_not_kept_in_memory() -> None:
    async def story(stage: Stage) -> None:
        for value in range(300):
            request = await stage.send(value, timeout_us=60_000_000)
            request.cancel()
            await turns(2)
        stage.requests.clear()
        del request
        gc.collect()
        kept = [thing for thing in gc.get_objects() if isinstance(thing, Job)]
        assert kept == []
        assert sum(isinstance(thing, Deadline) for thing in gc.get_objects()) < 100

    play(story)
