"""Offline work fills what is idle and gives way at once; no worker's time is counted twice."""

import os
import threading
from fractions import Fraction

import pytest

from inference_node.scheduling import priority
from inference_node.scheduling.priority import give_way, giving_way
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.scheduling.stage import Stage, play
from tests.unit.inference_node.virtual_time import until


def test_background_work_and_real_time_work_share_no_batch() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.send(2)
        await stage.send(3, priority="batch")
        await stage.at(1000)
        await stage.started(2)
        assert sorted(stage.session.batches) == [[1, 3], [2]]

    play(story, workers=2)


def test_real_time_work_takes_a_worker_over_at_once_and_its_time_counts_once() -> None:
    async def story(stage: Stage) -> None:
        offline = await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.at(100)
        urgent = await stage.send(2)
        await stage.started(2)
        assert stage.pool.busy == 1
        await stage.at(150)
        await stage.finish(1)
        assert urgent.result().began_us == 100
        assert not offline.done()
        await stage.at(400)
        await stage.finish(0)
        execution = offline.result()
        assert (execution.began_us, execution.ended_us, execution.compute_us) == (0, 400, 350)
        assert urgent.result().compute_us == 50
        assert execution.worker == urgent.result().worker == 0
        assert execution.outputs["y"].tolist() == [[1 + SHIFT]]
        assert stage.busy.take(0, 400) == 400
        assert stage.pool.busy == 0

    play(story, delay_us=0)


def test_a_background_batch_that_ends_while_its_worker_is_taken_over_leaves_it_to_the_other() -> (
    None
):
    async def story(stage: Stage) -> None:
        offline = await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.at(100)
        urgent = await stage.send(2)
        await stage.started(2)
        await stage.at(130)
        await stage.finish(0)
        assert offline.result().compute_us == 100
        more = await stage.send(3, priority="batch")
        assert stage.pool.waiting == 1, "the only worker executes"
        await stage.at(200)
        await stage.finish(1)
        assert urgent.result().compute_us == 100
        await stage.started(3)
        await stage.finish(2)
        assert more.result().began_us == 200
        assert stage.busy.take(0, 200) == 200

    play(story, delay_us=0)


def test_a_free_worker_is_preferred_to_taking_one_over() -> None:
    async def story(stage: Stage) -> None:
        offline = await stage.send(1, priority="batch")
        await stage.started(1)
        urgent = await stage.send(2)
        await stage.started(2)
        await stage.at(100)
        await stage.finish(0)
        await stage.finish(1)
        assert offline.result().worker != urgent.result().worker
        assert offline.result().compute_us == 100

    play(story, delay_us=0, workers=2)


def test_a_worker_is_taken_over_by_one_batch_at_a_time() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.send(2)
        await stage.started(2)
        await stage.send(3)
        assert stage.pool.waiting == 1
        await stage.finish(1)
        await stage.started(3)
        assert stage.session.batches == [[1], [2], [3]]

    play(story, delay_us=0)


def test_background_work_waits_while_real_time_work_is_ready() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.started(1)
        await stage.send(1, priority="batch")
        await stage.at(50)
        await stage.send(2)
        await stage.finish(0)
        await stage.started(2)
        await stage.finish(1)
        await stage.started(3)
        assert stage.session.batches == [[0], [2], [1]]

    play(story, delay_us=0)


def test_on_a_cpu_real_time_work_that_waits_for_its_delay_does_not_hold_background_work_back() -> (
    None
):
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.at(500)
        await stage.send(2)
        await stage.at(1000)
        await stage.started(1)
        await stage.at(1500)
        await stage.started(2)
        assert stage.session.batches == [[1], [2]]

    play(story)


def test_on_a_gpu_nothing_is_taken_over_and_no_background_batch_starts_before_real_time_work() -> (
    None
):
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.at(1000)
        await stage.started(1)
        await stage.send(2)
        await stage.send(3, priority="batch")
        await stage.at(1500)
        await stage.finish(0)
        await stage.at(1999)
        assert stage.pool.waiting == 2
        await stage.at(2000)
        await stage.started(2)
        await stage.at(2100)
        await stage.finish(1)
        await stage.started(3)
        await stage.finish(2)
        assert stage.session.batches == [[1], [2], [3]]
        assert [request.result().pool for request in stage.requests] == ["gpu"] * 3
        assert stage.busy.take(0, 5000) == 600

    play(story, device="gpu")


def test_on_a_gpu_real_time_work_that_has_no_session_does_not_hold_background_work_back() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.at(1000)
        await stage.started(1)
        await stage.send(2)
        await stage.at(2000)
        assert stage.pool.waiting == 1
        other = await stage.send(3, priority="batch", model=stage.other_model())
        await stage.at(3000)
        await stage.started(2)
        await stage.finish(1)
        assert other.result().error is None

    play(story, device="gpu", workers=2, sessions=1)


def test_on_a_cpu_background_work_takes_no_session_away() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.send(2)
        await stage.started(2)
        await stage.finish(1)
        await stage.finish(0)
        assert stage.sessions.executed == 1

    play(story, delay_us=0, sessions=1)


def test_a_failing_background_batch_frees_its_worker() -> None:
    async def story(stage: Stage) -> None:
        stage.session.failure = KeyError("defect")
        await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.finish(0)
        assert stage.requests[0].result().error is not None
        stage.session.failure = None
        await stage.send(2, priority="batch")
        await stage.started(2)
        await stage.finish(1)
        assert stage.requests[1].result().error is None

    play(story, delay_us=0)


def test_requests_pay_exactly_for_the_time_that_workers_executed() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2, 3, 4, priority="batch")
        await stage.started(1)
        await stage.at(33)
        await stage.send(5, 6, 7)
        await stage.at(1033)
        await stage.started(2)
        await stage.at(1044)
        await stage.finish(1)
        await stage.at(1100)
        await stage.finish(0)
        paid = sum(
            Fraction(done.compute_us * items, done.batch_size)
            for done, items in zip((r.result() for r in stage.requests), (4, 3), strict=True)
        )
        assert paid == stage.busy.take(0, 1100) == 1100

    play(story)


def test_on_a_cpu_background_work_runs_on_a_thread_that_gives_way_to_all_others() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.send(2)
        await stage.started(2)
        names = stage.session.threads
        assert names[stage.where(1)] == "background-0"
        assert names[stage.where(2)] == "worker-0"

    play(story, delay_us=0)


def test_a_background_batch_gives_way_only_while_the_model_executes() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.started(1)
        [thread] = [
            thread.native_id for thread in threading.enumerate() if thread.name == "background-0"
        ]
        assert thread is not None
        assert os.sched_getscheduler(thread) == os.SCHED_IDLE
        await stage.finish(0)
        granted = os.SCHED_OTHER if may_come_back() else os.SCHED_IDLE
        await until(lambda: os.sched_getscheduler(thread) == granted)

    play(story, delay_us=0)


def test_who_gives_way_leaves_the_processor_to_those_that_wait_for_it_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policies: list[int] = []
    monkeypatch.setattr(os, "sched_yield", lambda: policies.append(os.sched_getscheduler(0)))
    thread = threading.Thread(target=give_way)
    thread.start()
    thread.join()
    assert policies == [os.SCHED_IDLE]


def may_come_back() -> bool:
    """Whether a thread here may leave SCHED_IDLE again."""
    seen: list[int] = []

    def look() -> None:
        with giving_way():
            pass
        seen.append(os.sched_getscheduler(threading.get_native_id()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen == [os.SCHED_OTHER]


def test_where_the_policy_is_refused_the_niceness_is_the_highest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    seen: list[int] = []

    def look() -> None:
        with giving_way():
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [19]


def test_a_machine_that_grants_nothing_is_told_of_and_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    priority._warn_once.cache_clear()

    async def story(stage: Stage) -> None:
        await stage.send(1, priority="batch")
        await stage.started(1)
        await stage.finish(0)
        assert stage.requests[0].result().error is None
        await until(lambda: "cannot be made to give way: Operation not permitted" in caplog.text)

    play(story, delay_us=0)
