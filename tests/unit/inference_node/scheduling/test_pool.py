"""When batches leave, what they take, and what becomes of everybody in them."""

import asyncio

import numpy as np
import pytest

from inference_node.errors import (
    ExecutionError,
    InvalidRequestError,
    QueueFullError,
    StoppingError,
)
from inference_node.scheduling.backlog import Backlog
from inference_node.scheduling.pool import Pool
from tests.unit.inference_node.gated_session import SHIFT, model_of
from tests.unit.inference_node.scheduling.stage import Stage, close, play, sessions_of, tensor
from tests.unit.inference_node.virtual_time import turns, until
from usage import Priority


def test_a_lone_request_leaves_when_its_delay_is_over_and_not_before() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(999)
        assert stage.pool.waiting == 1
        await stage.at(1000)
        assert stage.pool.waiting == 0
        await stage.started(1)

    play(story)


def test_a_batch_leaves_at_once_when_the_request_that_fills_it_arrives() -> None:
    async def story(stage: Stage) -> None:
        for value in (1, 2, 3):
            await stage.send(value)
        await stage.at(10)
        assert stage.pool.waiting == 3
        await stage.send(4)
        await stage.started(1)
        assert stage.session.batches == [[1, 2, 3, 4]]
        await stage.finish(0)
        assert {request.result().began_us for request in stage.requests} == {10}

    play(story)


def test_the_timer_starts_at_the_arrival_of_the_head_and_later_arrivals_do_not_reset_it() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(900)
        await stage.send(2)
        await stage.at(1000)
        await stage.started(1)
        assert stage.session.batches == [[1, 2]]

    play(story)


def test_a_request_that_spent_its_delay_before_it_reached_the_queue_leaves_at_once() -> None:
    async def story(stage: Stage) -> None:
        stage.clock.us = 5000
        request = await stage.send(1, arrived_us=4000)
        await stage.started(1)
        await stage.finish(0)
        assert request.result().began_us == 5000

    play(story)


def test_without_a_delay_a_request_leaves_at_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.started(1)
        assert stage.session.batches == [[1]]

    play(story, delay_us=0)


def test_a_freed_worker_takes_everything_that_has_arrived_by_then_at_most_b() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        for value in range(2, 8):
            await stage.at(1000 + 10 * value)
            await stage.send(value)
        await stage.at(9000)
        assert stage.pool.waiting == 6
        await stage.finish(0)
        await stage.started(2)
        assert stage.session.batches[1] == [2, 3, 4, 5]
        await stage.finish(1)
        await stage.started(3)
        assert stage.session.batches[2] == [6, 7]

    play(story)


def test_a_freed_worker_still_waits_for_the_delay_of_the_head() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        await stage.send(2)
        await stage.at(1500)
        await stage.finish(0)
        await stage.at(1999)
        assert stage.pool.waiting == 1
        await stage.at(2000)
        await stage.started(2)

    play(story)


def test_what_a_full_batch_leaves_behind_waits_for_the_delay_of_its_own_head() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2)
        await stage.at(300)
        await stage.send(3, 4, 5)
        await stage.started(1)
        assert stage.session.batches == [[1, 2]]
        await stage.at(1299)
        assert stage.pool.waiting == 1
        await stage.at(1300)
        assert stage.pool.waiting == 0
        await stage.started(2)
        assert stage.session.batches[1] == [3, 4, 5]

    play(story, workers=2)


def test_a_small_request_does_not_overtake_a_large_one_that_does_not_fit() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2, 3)
        await stage.send(4, 5)
        await stage.send(6)
        await stage.started(1)
        await stage.at(1000)
        await stage.started(2)
        assert stage.session.batches == [[1, 2, 3], [4, 5, 6]]

    play(story, workers=2)


def test_requests_of_different_shapes_models_and_versions_never_share_a_batch() -> None:
    async def story(stage: Stage) -> None:
        other = model_of(stage.session, name="other")
        newer = model_of(stage.session, version="2")
        for value, model, width in (
            (1, stage.model, 1), (2, stage.model, 2), (3, other, 1), (4, newer, 1),
            (5, stage.model, 1), (6, stage.model, 2), (7, other, 1), (8, newer, 1),
        ):  # fmt: skip
            await stage.send(value, model=model, width=width)
        await stage.at(1000)
        await stage.started(4)
        assert sorted(stage.session.batches) == [[1, 5], [2, 6], [3, 7], [4, 8]]
        for batch in range(4):
            await stage.finish(batch)
        widths = [request.result().outputs["y"].shape for request in stage.requests]
        assert widths == [(1, 1), (1, 2), (1, 1), (1, 1)] * 2

    play(story, workers=4)


def test_of_two_models_that_are_ready_the_more_urgent_and_then_the_earlier_goes_first() -> None:
    async def story(stage: Stage) -> None:
        other = model_of(stage.session, name="other")
        await stage.send(0)
        await stage.at(1000)
        await stage.started(1)
        await stage.send(1)
        await stage.at(1001)
        await stage.send(2, model=other)
        await stage.send(3, model=other, priority="high", width=2)
        await stage.at(9000)
        for batch in range(3):
            await stage.finish(batch)
            await stage.started(batch + 2)
        assert stage.session.batches == [[0], [3], [1], [2]]

    play(story)


def test_more_items_than_a_batch_may_hold_are_refused_and_nothing_waits() -> None:
    async def story(stage: Stage) -> None:
        request = await stage.send(1, 2, 3, 4, 5)
        with pytest.raises(InvalidRequestError, match="holds 5 items; accepted: at most 4"):
            request.result()
        assert stage.pool.waiting == 0

    play(story)


def test_as_many_items_as_a_batch_may_hold_leave_at_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2, 3, 4)
        await stage.started(1)
        await stage.finish(0)
        [request] = stage.requests
        assert request.result().outputs["y"].tolist() == [[SHIFT + value] for value in (1, 2, 3, 4)]
        assert request.result().batch_size == 4

    play(story)


def test_a_full_queue_refuses_until_a_batch_has_left() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.send(2)
        refused = await stage.send(3)
        with pytest.raises(QueueFullError, match="2 requests wait already"):
            refused.result()
        await stage.at(1000)
        await stage.started(1)
        accepted = await stage.send(4)
        assert not accepted.done()
        assert stage.pool.waiting == 1

    play(story, max_queue_size=2)


def test_everybody_gets_the_rows_that_belong_to_the_own_request() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2)
        await stage.send(3)
        await stage.at(1000)
        await stage.started(1)
        stage.clock.us = 1700
        await stage.finish(0)
        first, second = (request.result() for request in stage.requests)
        assert first.outputs["y"].tolist() == [[SHIFT + 1], [SHIFT + 2]]
        assert second.outputs["y"].tolist() == [[SHIFT + 3]]
        for execution in (first, second):
            assert (execution.began_us, execution.ended_us) == (1000, 1700)
            assert (execution.batch_id, execution.batch_size, execution.worker) == (1, 3, 0)

    play(story)


def test_a_failing_batch_fails_for_everybody_in_it_with_the_machine_time_it_took() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.send(2)
        await stage.at(1000)
        await stage.started(1)
        stage.session.failure = ExecutionError("the model failed: reasons")
        stage.clock.us = 1300
        await stage.finish(0)
        for request in stage.requests:
            execution = request.result()
            assert isinstance(execution.error, ExecutionError)
            assert execution.outputs == {}
            assert execution.batch_size == 2
            assert execution.ended_us - execution.began_us == 300
        assert stage.busy.take(0, 5000) == 300

    play(story)


def test_a_failing_batch_frees_its_worker_for_the_next() -> None:
    async def story(stage: Stage) -> None:
        stage.session.failure = ExecutionError("the model failed")
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        await stage.finish(0)
        stage.session.failure = None
        healthy = await stage.send(2)
        await stage.at(2000)
        await stage.started(2)
        await stage.finish(1)
        assert healthy.result().error is None
        assert healthy.result().outputs["y"].tolist() == [[SHIFT + 2]]

    play(story)


def test_a_defect_while_executing_is_logged_and_its_details_stay_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(stage: Stage) -> None:
        stage.session.failure = KeyError("/srv/secret/path")
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        await stage.finish(0)
        error = stage.requests[0].result().error
        assert error is not None
        assert "secret" not in str(error)

    play(story)
    assert "/srv/secret/path" in caplog.text


def test_a_model_that_returns_fewer_rows_than_items_fails_rather_than_mix_them_up() -> None:
    async def story(stage: Stage) -> None:
        stage.session.lost_rows = 1
        await stage.send(1)
        await stage.send(2)
        await stage.at(1000)
        await stage.started(1)
        await stage.finish(0)
        for request in stage.requests:
            error = request.result().error
            assert isinstance(error, ExecutionError)
            assert "output 'y' has shape [1, 1] for a batch of 2" in str(error)

    play(story)


def test_two_workers_execute_two_batches_at_the_same_time() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2, 3, 4)
        await stage.send(5, 6, 7, 8)
        await stage.started(2)
        await stage.send(9, 10, 11, 12)
        assert stage.pool.waiting == 1
        second = stage.session.batches.index([5, 6, 7, 8])
        await stage.finish(second)
        await stage.started(3)
        await stage.finish(1 - second)
        await stage.finish(2)
        workers = [request.result().worker for request in stage.requests]
        assert workers[0] != workers[1]
        assert workers[2] == workers[1]

    play(story, workers=2)


def test_close_waits_for_what_executes() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        stage.session.release(0)
        close(stage.pool)
        stage.clock.us = 1500
        assert stage.busy.take(0, 1500) == 0
        await turns()
        assert stage.requests[0].result().error is None

    play(story)


def test_what_waits_when_the_pool_closes_fails_and_nothing_is_taken_any_more() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        waiting = await stage.send(2)
        offline = await stage.send(3, priority="batch")
        stage.session.release(0)
        close(stage.pool)
        await turns()
        late = await stage.send(4)
        assert stage.requests[0].result().error is None
        for request in (waiting, offline, late):
            with pytest.raises(StoppingError):
                request.result()
        assert stage.pool.waiting == 0

    play(story)


def test_high_goes_before_normal_and_first_come_first_served_within_each() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.at(1000)
        await stage.started(1)
        arrivals: list[tuple[int, Priority]] = [
            (1, "normal"), (2, "high"), (3, "normal"), (4, "normal"), (5, "high"), (6, "normal"),
        ]  # fmt: skip
        for value, priority in arrivals:
            await stage.send(value, priority=priority)
        await stage.at(5000)
        await stage.finish(0)
        await stage.started(2)
        await stage.finish(1)
        await stage.started(3)
        assert stage.session.batches[1:] == [[2, 5, 1, 3], [4, 6]]

    play(story)


def test_a_patient_head_of_low_priority_makes_the_batch_leave_and_high_ones_join_it_first() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(900)
        await stage.send(2, priority="high")
        await stage.at(1000)
        await stage.started(1)
        assert stage.session.batches == [[2, 1]]

    play(story)


def test_a_request_without_items_is_refused() -> None:
    async def story(stage: Stage) -> None:
        request = await stage.send()
        with pytest.raises(InvalidRequestError, match="holds 0 items"):
            request.result()

    play(story)


def test_requests_of_different_datatypes_never_share_a_batch() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        narrow = {"x": np.array([[2]], np.int32)}
        other = asyncio.create_task(stage.pool.execute(stage.model, narrow, arrived_us=0))
        await stage.at(1000)
        await stage.started(2)
        assert sorted(stage.session.batches) == [[1], [2]]
        stage.requests.append(other)

    play(story, workers=2)


def test_workers_are_numbered_from_the_first_on() -> None:
    async def story(stage: Stage) -> None:
        for value in (1, 2):
            await stage.send(value)
        await stage.started(2)
        assert stage.pool.busy == 2
        for batch in (0, 1):
            await stage.finish(batch)
        assert {request.result().worker for request in stage.requests} == {5, 6}
        assert stage.pool.busy == 0

    play(story, workers=2, first_worker=5, delay_us=0)


def test_two_pools_share_the_limit_of_the_node_and_the_numbers_of_batches() -> None:
    async def story(stage: Stage) -> None:
        backlog = Backlog(1)
        pools = [
            Pool(
                stage.clock,
                stage.busy,
                backlog,
                sessions_of,
                first_worker=number,
                inline_below_us=0,
            )
            for number in (1, 2)
        ]
        tasks = [
            asyncio.create_task(pool.execute(stage.model, tensor(value), arrived_us=0))
            for value, pool in enumerate(pools)
        ]
        await turns()
        with pytest.raises(QueueFullError, match="1 requests wait already"):
            tasks[1].result()
        await stage.at(1000)
        await stage.started(1)
        tasks.append(asyncio.create_task(pools[1].execute(stage.model, tensor(2), arrived_us=0)))
        await turns()
        await stage.started(2)
        stage.session.release(0)
        stage.session.release(1)
        await until(lambda: all(task.done() for task in tasks))
        assert [tasks[0].result().batch_id, tasks[2].result().batch_id] == [1, 2]
        for pool in pools:
            close(pool)

    play(story)
