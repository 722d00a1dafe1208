"""Batches that take next to no time are executed in the loop: a thread would take longer."""

import asyncio
import threading

from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.scheduling.stage import Stage, play, tensor
from usage import Priority

# CPU time that no batch of these tests comes near, and one that each of them takes.
ALWAYS_US = 10_000_000
AT_LEAST_US = 1

HERE = threading.main_thread().name


async def executed(stage: Stage, value: int, priority: Priority = "normal") -> str:
    """Have `value` executed; return the name of the thread that did."""
    request = await stage.send(value, priority=priority)
    await asyncio.wait([request])
    assert request.result().outputs["y"].tolist() == [[value + SHIFT]]
    return stage.session.threads[stage.where(value)]


def test_the_first_batch_of_a_shape_goes_to_a_thread_and_the_next_ones_do_not() -> None:
    async def story(stage: Stage) -> None:
        assert await executed(stage, 1) == "worker-0"
        assert await executed(stage, 2) == HERE
        other = await stage.send(3, width=2)
        await asyncio.wait([other])
        assert stage.session.threads[stage.where(3)] == "worker-0"
        assert stage.sessions.executed == 3

    play(story, delay_us=0, gated=False, inline_below_us=ALWAYS_US)


def test_a_gpu_a_slow_model_and_background_work_are_left_to_threads() -> None:
    async def on_gpu(stage: Stage) -> None:
        assert [await executed(stage, value) for value in (1, 2)] == ["worker-0"] * 2

    async def in_background(stage: Stage) -> None:
        names = [await executed(stage, value, "batch") for value in (1, 2)]
        assert names == ["background-0"] * 2

    async def slow(stage: Stage) -> None:
        assert [await executed(stage, value) for value in (1, 2)] == ["worker-0"] * 2

    play(on_gpu, delay_us=0, gated=False, inline_below_us=ALWAYS_US, device="gpu")
    play(in_background, delay_us=0, gated=False, inline_below_us=ALWAYS_US)
    play(slow, delay_us=0, gated=False, inline_below_us=AT_LEAST_US)


def test_requests_that_arrive_in_the_same_turn_share_a_batch_and_its_accounting() -> None:
    async def story(stage: Stage) -> None:
        await executed(stage, 0)
        answers = await asyncio.gather(
            *(stage.pool.execute(stage.model, tensor(value), arrived_us=0) for value in range(1, 7))
        )
        assert stage.session.batches == [[0], [1, 2, 3, 4], [5, 6]]
        assert [answer.batch_size for answer in answers] == [4] * 4 + [2] * 2
        assert {answer.worker for answer in answers} == {0}
        assert stage.pool.waiting == stage.pool.busy == 0

    play(story, delay_us=0, gated=False, inline_below_us=ALWAYS_US)


def test_it_takes_a_worker_that_is_free_or_executes_in_the_background() -> None:
    async def story(stage: Stage) -> None:
        await executed(stage, 0)
        stage.session.gated = True
        offline = await stage.send(1, priority="batch")
        await stage.started(2)
        stage.session.gated = False
        stage.clock.us = 70
        assert await executed(stage, 2) == HERE
        stage.clock.us = 90
        await stage.finish(1)
        assert offline.result().compute_us == 90
        assert stage.busy.take(0, 90) == 90

    play(story, delay_us=0, gated=False, inline_below_us=ALWAYS_US)
