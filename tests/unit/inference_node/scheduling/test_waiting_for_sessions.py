"""A batch needs a session of its model as well as a worker; who lacks one holds up nobody else."""

import pytest

from inference_node.errors import ModelUnavailableError
from tests.unit.inference_node.scheduling.stage import Stage, play
from tests.unit.inference_node.virtual_time import turns


def test_a_model_without_a_free_session_waits_and_another_one_goes_first() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.started(1)
        await stage.send(2)
        await stage.send(3, model=stage.other_model())
        await stage.started(2)
        assert stage.pool.waiting == 1
        await stage.finish(0)
        await stage.started(3)
        assert stage.session.batches == [[1], [3], [2]]

    play(story, delay_us=0, workers=2, sessions=1)


def test_all_shapes_of_a_model_wait_for_the_same_sessions_the_earliest_first() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1)
        await stage.started(1)
        for value in (2, 3):
            await stage.at(stage.clock.us + 1)
            await stage.send(value, width=value)
        await stage.finish(0)
        await stage.started(2)
        assert stage.session.batches == [[1], [2]]

    play(story, delay_us=0, workers=3, sessions=1)


@pytest.mark.parametrize("priority", ["normal", "batch"])
def test_a_model_that_is_not_loaded_is_asked_for_once_and_served_when_it_is(priority: str) -> None:
    async def story(stage: Stage) -> None:
        assert priority in ("normal", "batch")
        first = await stage.send(1, priority="batch" if priority == "batch" else "normal")
        await stage.send(2, priority="batch" if priority == "batch" else "normal")
        assert stage.sessions.asked == 1
        assert not first.done()
        await stage.at(5000)
        stage.sessions.load()
        await turns()
        await stage.started(1)
        assert stage.session.batches == [[1, 2]]
        await stage.finish(0)
        assert first.result().began_us == 5000

    play(story, delay_us=0, loaded=0)


@pytest.mark.parametrize("late", [False, True])
def test_what_waits_for_a_model_that_cannot_be_loaded_fails_with_the_reason(late: bool) -> None:
    async def story(stage: Stage) -> None:
        reason = ModelUnavailableError("model 'm' cannot be loaded now; try again later")
        if not late:
            stage.sessions.failure = reason
        await stage.send(1)
        await stage.send(2, priority="batch")
        await stage.send(3, width=2, priority="high")
        if late:
            assert stage.pool.waiting == 3
            stage.sessions.fail(reason)
            await turns()
        for request in stage.requests:
            with pytest.raises(ModelUnavailableError, match="cannot be loaded now") as raised:
                request.result()
            assert raised.value is not reason, "a trace would grow on it"
        assert stage.pool.waiting == 0

    play(story, delay_us=0, loaded=0)


def test_a_model_that_can_be_loaded_again_is_served_again() -> None:
    async def story(stage: Stage) -> None:
        stage.sessions.failure = ModelUnavailableError("not now")
        await stage.send(1)
        assert stage.requests[0].done()
        stage.sessions.failure = None
        await stage.send(2)
        stage.sessions.load()
        await turns()
        await stage.started(1)
        assert stage.session.batches == [[2]]

    play(story, delay_us=0, loaded=0)


def test_a_session_is_given_back_with_the_number_of_requests_it_executed() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(1, 2)
        await stage.send(3, 4)
        await stage.started(1)
        await stage.finish(0)
        assert stage.sessions.executed == 2

    play(story, sessions=1)
