"""Sessions of one model: lent, loaded on demand, dropped, and what happens when loading fails."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.errors import ModelUnavailableError
from inference_node.models.config import ScalingConfig
from inference_node.models.session import Session
from inference_node.models.session_pool import SessionPool
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.gated_source import (
    LOAD_US,
    WARM_UP_US,
    GatedSource,
    pool_of,
    settled,
    taken,
)
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until

SECOND_US = 1_000_000
ON_DEMAND = ScalingConfig(min_sessions=0)
ON_DEMAND_OF_ONE = ScalingConfig(min_sessions=1)

Story = Callable[[ManualClock, GatedSource, SessionPool], Awaitable[None]]


def play(story: Story, scaling: ScalingConfig | None = None) -> None:
    clock = ManualClock()
    source = GatedSource(clock)
    pool = pool_of(clock, source, scaling or ScalingConfig())

    async def played() -> None:
        await story(clock, source, pool)
        source.gate.set()
        await until(settled(pool))

    run(clock, played())


def failure_of(pool: SessionPool) -> str:
    assert isinstance(pool.failure, ModelUnavailableError)
    return str(pool.failure)


def test_a_session_that_is_taken_is_nobody_elses_until_it_is_given_back() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        session = taken(pool)
        assert (pool.take(), pool.failure, pool.loading) == (None, None, 0)
        assert (pool.ready, pool.busy) == (1, 1)
        pool.give_back(session)
        assert taken(pool) is session

    play(story)


def test_a_borrowed_session_may_be_in_use_and_is_not_taken() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        assert pool.borrow() is not None
        assert pool.busy == 0
        session = taken(pool)
        assert pool.borrow() is session

    play(story)


def test_scaling_up_loads_one_session_after_the_other() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.gate.clear()
        pool.scale_to(3)
        assert (pool.target, pool.ready, pool.loading) == (3, 1, 1)
        source.gate.set()
        await until(lambda: pool.ready == 3)
        assert len({taken(pool) for _ in range(3)}) == 3
        assert (pool.take(), pool.loading, source.begun) == (None, 0, 3)

    play(story)


def test_scaling_down_drops_what_is_free_and_what_is_in_use_when_it_is_given_back() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        pool.scale_to(3)
        await until(lambda: pool.ready == 3)
        first, second = taken(pool), taken(pool)
        pool.scale_to(1)
        assert (pool.ready, pool.busy) == (2, 2)
        pool.give_back(first)
        assert pool.ready == 1
        pool.give_back(second)
        assert pool.ready == 1
        assert taken(pool) is second

    play(story)


def test_a_dropped_session_leaves_memory() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        gone = weakref.ref(taken(pool))
        session = gone()
        assert session is not None
        pool.give_back(session)
        del session
        pool.scale_to(0)
        gc.collect()
        assert gone() is None

    play(story, ScalingConfig(min_sessions=1))


def test_a_load_that_is_wanted_no_more_is_dropped_when_it_arrives() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.gate.clear()
        pool.scale_to(2)
        pool.scale_to(1)
        source.gate.set()
        await until(settled(pool))
        assert (pool.ready, pool.counts.loads) == (1, 2)

    play(story)


def test_the_first_look_counts_as_a_load_and_leaves_nothing_where_the_minimum_is_0() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        assert (pool.ready, pool.target, pool.failure) == (0, 0, None)
        assert (pool.counts.loads, pool.counts.cold_starts) == (1, 0)
        assert (pool.counts.load_us, pool.counts.warm_up_us) == (LOAD_US, WARM_UP_US)

    play(story, ON_DEMAND)


def test_the_first_demand_loads_a_session_and_says_when_it_is_there() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        sessions: list[Session | None] = []
        loop_thread = threading.get_ident()

        def look() -> None:
            assert threading.get_ident() == loop_thread
            sessions.append(pool.take())

        pool.when_free(look)
        source.gate.clear()
        assert [pool.take(), pool.take(), pool.borrow()] == [None, None, None]
        await until(lambda: source.begun == 2)
        assert (pool.loading, pool.failure) == (1, None)
        source.gate.set()
        await until(lambda: bool(sessions))
        assert sessions[0] is not None
        assert (source.begun, pool.counts.loads, pool.counts.cold_starts) == (2, 2, 1)
        assert (pool.counts.load_us, pool.counts.last_load_us) == (2 * LOAD_US, LOAD_US)
        assert (pool.counts.warm_up_us, pool.counts.last_warm_up_us) == (100, WARM_UP_US)

    play(story, ON_DEMAND)


def test_a_load_that_nobody_waited_for_is_no_cold_start() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        session = taken(pool)
        pool.scale_to(2)
        assert pool.take() is None  # waits for the one in use, not for a load
        await until(settled(pool))
        pool.give_back(session)
        assert (pool.counts.loads, pool.counts.cold_starts) == (2, 0)

    play(story)


def test_a_model_that_cannot_be_loaded_is_unavailable_and_tried_again_ever_later() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        told: list[ModelUnavailableError | None] = []
        pool.when_free(lambda: told.append(pool.failure))
        source.broken = True
        for attempt, pause_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60), 1):
            assert pool.take() is None
            assert pool.failure is None  # it may still come
            await until(settled(pool))
            assert (pool.counts.failures, len(told)) == (attempt, attempt)
            assert failure_of(pool) == "model 'm' version '1' cannot be loaded now; try again later"
            clock.us += pause_s * SECOND_US - 1
            assert pool.take() is None
            assert (pool.loading, pool.failure is None) == (0, False)
            clock.us += 1
        source.broken = False
        assert pool.take() is None
        await until(settled(pool))
        assert pool.failure is None
        assert pool.take() is not None
        assert (pool.counts.failures, pool.counts.cold_starts) == (8, 1)

    play(story, ON_DEMAND)


def test_who_is_told_of_a_failure_finds_it_and_begins_no_load_by_asking() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        found: list[tuple[object, str]] = []
        pool.when_free(lambda: found.append((pool.take(), failure_of(pool))))
        source.broken = True
        pool.take()
        await until(lambda: bool(found))
        assert (found[0][0], source.begun, pool.loading) == (None, 2, 0)

    play(story, ON_DEMAND)


def test_a_failure_is_a_new_one_for_everybody_who_raises_it() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        pool.unload()
        assert pool.failure is not pool.failure

    play(story)


def test_a_defect_while_loading_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.defect = KeyError("/srv/secret")
        pool.take()
        await until(settled(pool))
        assert "secret" not in failure_of(pool)

    play(story, ON_DEMAND)
    assert "a defect in the node: loading model 'm' version '1'" in caplog.messages


def test_a_system_that_has_no_more_threads_is_a_load_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            assert (pool.take(), pool.loading) == (None, 0)
            assert "cannot be loaded now" in failure_of(pool)
            with pytest.raises(ModelUnavailableError):
                await pool.load()
        await pool.load()
        assert (pool.ready, pool.counts.failures) == (1, 2)

    play(story, ON_DEMAND)


def test_one_more_session_that_cannot_be_loaded_takes_nothing_from_those_that_serve() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.broken = True
        pool.scale_to(2)
        await until(settled(pool))
        assert (pool.ready, pool.failure, pool.counts.failures) == (1, None, 1)
        pool.scale_to(2)
        assert pool.loading == 0
        clock.us += SECOND_US
        pool.scale_to(2)
        assert pool.loading == 1
        pool.give_back(taken(pool))

    play(story)


def test_an_unloaded_model_is_unavailable_until_it_is_loaded() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        told: list[str] = []
        session = taken(pool)
        pool.when_free(lambda: told.append(str(pool.failure)))
        pool.unload()
        assert told == ["model 'm' version '1' is unloaded; load it first"]
        assert (pool.take(), pool.borrow(), failure_of(pool)) == (None, None, told[0])
        pool.give_back(session)
        assert (pool.ready, pool.target, pool.take(), pool.loading) == (0, 0, None, 0)
        pool.scale_to(2)
        assert pool.loading == 0
        await pool.load()
        assert (pool.ready, pool.failure, told[1:]) == (1, None, ["None"])
        assert pool.take() is not None

    play(story)


def test_a_loaded_model_is_loaded_anew_and_serves_until_then() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        pool.scale_to(2)
        await until(lambda: pool.ready == 2)
        in_use = taken(pool)
        source.gate.clear()
        source.fingerprint = "g"
        loading = asyncio.create_task(pool.load())
        await turns()
        assert (pool.ready, pool.failure, pool.fingerprint) == (2, None, "f")
        old = taken(pool)
        pool.give_back(old)
        assert taken(pool) is old
        pool.give_back(old)
        source.gate.set()
        await loading
        assert (source.begun, pool.fingerprint) == (4, "g")
        fresh = [taken(pool), taken(pool)]
        assert [session.fingerprint for session in fresh] == ["g", "g"]
        assert pool.take() is None
        assert pool.borrow() in fresh
        # What was in use when the others came is dropped, and counted until then.
        assert (pool.ready, pool.busy) == (3, 3)
        pool.give_back(in_use)
        assert (pool.ready, pool.busy, pool.take()) == (2, 2, None)

    play(story)


def test_a_model_that_cannot_be_loaded_anew_goes_on_as_it_is() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.broken = True
        source.fingerprint = "g"
        loads = [asyncio.create_task(pool.load()) for _ in range(3)]
        for load in loads:
            with pytest.raises(ModelUnavailableError, match="cannot be loaded now"):
                await load
        assert (pool.ready, pool.failure, pool.fingerprint) == (1, None, "f")
        assert taken(pool).fingerprint == "f"
        source.broken = False
        await pool.load()
        assert pool.fingerprint == "g"

    play(story)


def test_one_more_session_is_made_of_the_file_that_serves_or_not_at_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.fingerprint = "g"
        pool.scale_to(2)
        await until(settled(pool))
        assert (pool.ready, pool.fingerprint, pool.counts.failures) == (1, "f", 1)
        assert "its file was replaced; it serves when it is loaded" in caplog.text
        pool.scale_to(0)
        assert pool.take() is None
        await until(settled(pool))
        assert (pool.ready, pool.fingerprint) == (0, "f")
        clock.us += 10 * SECOND_US
        assert pool.take() is None
        await until(settled(pool))
        assert (taken(pool).fingerprint, pool.fingerprint) == ("g", "g")

    play(story, ON_DEMAND_OF_ONE)


def test_a_file_replaced_again_while_it_is_loaded_anew_is_the_one_that_serves() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        pool.scale_to(2)
        await until(lambda: pool.ready == 2)
        source.gate.clear()
        source.fingerprint = "g"
        first = asyncio.create_task(pool.load())
        await turns()
        source.fingerprint = "h"
        second = asyncio.create_task(pool.load())
        await turns()
        source.gate.set()
        await asyncio.gather(first, second)
        assert {taken(pool).fingerprint, taken(pool).fingerprint} == {"h"}
        assert pool.fingerprint == "h"

    play(story)


def test_what_is_unloaded_while_it_is_loaded_anew_stays_unloaded() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        session = taken(pool)
        source.gate.clear()
        loading = asyncio.create_task(pool.load())
        await turns()
        pool.unload()
        source.gate.set()
        with pytest.raises(ModelUnavailableError, match="is unloaded"):
            await loading
        pool.give_back(session)
        assert (pool.ready, pool.take()) == (0, None)

    play(story)


def test_a_load_that_is_asked_for_tells_that_it_failed_and_may_be_asked_for_at_once() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        pool.unload()
        source.broken = True
        for failures in (1, 2):
            with pytest.raises(ModelUnavailableError, match="cannot be loaded now"):
                await pool.load()
            assert pool.counts.failures == failures
        source.broken = False
        await pool.load()
        assert pool.failure is None

    play(story)


def test_a_model_unloaded_while_it_is_loaded_stays_unloaded() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.gate.clear()
        asked = [asyncio.create_task(pool.load()) for _ in range(3)]
        await turns()
        asked[0].cancel()
        pool.unload()
        source.gate.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(result) for result in results] == [
            asyncio.CancelledError,
            ModelUnavailableError,
            ModelUnavailableError,
        ]
        assert (pool.ready, failure_of(pool)) == (
            0,
            "model 'm' version '1' is unloaded; load it first",
        )

    play(story, ON_DEMAND)


def test_a_model_loaded_while_a_load_is_on_its_way_is_loaded_once_more_by_then_it_serves() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        source.gate.clear()
        pool.take()
        pool.unload()
        asked = asyncio.create_task(pool.load())
        await turns()
        source.gate.set()
        await asked
        # The file that was opened first may be an older one.
        assert (pool.ready, source.begun) == (1, 3)

    play(story, ON_DEMAND)


def test_a_node_that_stops_waits_for_no_load_and_begins_none() -> None:
    clock = ManualClock()
    source = GatedSource(clock)
    pool = pool_of(clock, source, ON_DEMAND)

    async def story() -> None:
        source.gate.clear()
        asked = asyncio.create_task(pool.load())
        await until(lambda: source.begun == 2)
        pool.close()
        with pytest.raises(ModelUnavailableError, match="the node is stopping"):
            await asked
        with pytest.raises(ModelUnavailableError, match="the node is stopping"):
            await pool.load()
        assert (pool.take(), failure_of(pool)) == (None, "the node is stopping")
        pool.scale_to(3)
        assert pool.target == 0

    run(clock, story())
    # The loop is closed: what the load brings now must be nobody's trouble.
    source.gate.set()
    for thread in threading.enumerate():
        if thread.name == "load":
            thread.join()
    assert (source.begun, pool.ready) == (2, 0)


def test_a_load_that_arrives_after_the_stop_is_dropped() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        told: list[None] = []
        pool.when_free(lambda: told.append(None))
        source.gate.clear()
        pool.take()
        pool.close()
        source.gate.set()
        await until(settled(pool))
        assert (pool.ready, told) == (0, [])

    play(story, ON_DEMAND)


def test_time_in_use_time_ready_and_requests_are_counted() -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        began_us = clock.us
        assert (pool.busy_us(), pool.ready_us()) == (0, 0)
        pool.scale_to(2)
        await until(lambda: pool.ready == 2)
        alone_us = pool.ready_us()
        assert alone_us == clock.us - began_us
        one, other = taken(pool), taken(pool)
        clock.us += 100
        pool.give_back(one, 3)
        clock.us += 50
        assert (pool.busy_us(), pool.requests) == (250, 3)
        pool.give_back(other)
        pool.scale_to(1)
        clock.us += 1000
        assert (pool.busy_us(), pool.requests) == (250, 4)
        assert pool.ready_us() == alone_us + 2 * 150 + 1000
        session = taken(pool)
        pool.scale_to(0)
        clock.us += 7
        pool.give_back(session)
        clock.us += 500
        assert pool.ready_us() == alone_us + 2 * 150 + 1007

    play(story)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["take", "give back", "wait", "unload", "load", "break", "mend", "replace"]
            ),
            st.integers(0, 4),
        ),
        max_size=40,
    )
)
def test_whatever_happens_a_model_that_can_be_loaded_serves_and_counts_stay_true(
    steps: list[str | int],
) -> None:
    async def story(clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        held: list[Session] = []
        for step in steps:
            before = pool.busy_us()
            if isinstance(step, int):
                pool.scale_to(step)
            elif step == "take":
                session = pool.take()
                if session is not None:
                    assert session not in held
                    assert session.fingerprint == pool.fingerprint
                    held.append(session)
                elif not held:
                    assert pool.loading or pool.failure is not None
            elif step == "give back" and held:
                pool.give_back(held.pop(0))
            elif step == "wait":
                await until(settled(pool))
                clock.us += 10
                assert pool.ready <= pool.target + len(held)
            elif step == "unload":
                pool.unload()
            elif step == "load" and not source.broken:
                await pool.load()
                assert pool.fingerprint == source.fingerprint
            elif step == "replace":
                source.fingerprint += "f"
            elif step in ("break", "mend"):
                source.broken = step == "break"
            assert pool.busy == len(held)
            assert pool.ready >= pool.busy
            assert before <= pool.busy_us() <= pool.ready_us()
        while held:
            pool.give_back(held.pop())
        source.broken = False
        await until(settled(pool))
        await pool.load()
        assert taken(pool).fingerprint == source.fingerprint

    play(story, ScalingConfig(min_sessions=0, max_sessions=4))


STOPPED_WHILE_LOADING = """
import asyncio, pathlib, sys
from inference_node.clock import Clock
from inference_node.models.config import ScalingConfig
from inference_node.models.session import Session
from inference_node.models.session_pool import SessionPool
path = pathlib.Path(sys.argv[1])
async def main():
    pool = SessionPool("m", "1", device="cpu", workers=1, scaling=ScalingConfig(min_sessions=0),
        open_session=lambda: Session(path, device="cpu", threads=1), warm_up=lambda _: None,
        clock=Clock())
    pool.take()
    await asyncio.sleep(float(sys.argv[2]))
    pool.close()
asyncio.run(main())
"""


@pytest.mark.parametrize("delay_s", [0, 0.02, 0.05, 0.1])
def test_a_process_that_ends_while_the_runtime_loads_ends_well(
    tmp_path: Path, delay_s: float
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.slow(2000))
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_LOADING, str(path), str(delay_s)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
