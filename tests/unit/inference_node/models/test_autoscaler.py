"""Stories of load that rises and falls, and how many sessions there are."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.models.autoscaler import Autoscaler
from inference_node.models.config import ScalingConfig
from inference_node.models.session import Session
from inference_node.models.session_pool import SessionPool
from tests.unit.inference_node.gated_source import GatedSource, pool_of, settled, taken
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until

SECOND_US = 1_000_000
INTERVAL_US = 15 * SECOND_US


class Stage:
    """A pool under an autoscaler, and a load that a test sets."""

    def __init__(self, clock: ManualClock, source: GatedSource, pool: SessionPool) -> None:
        self.clock = clock
        self.source = source
        self.pool = pool
        self._held: list[Session] = []

    async def pass_time(self, seconds: float, *, busy: int = 0, requests: int = 0) -> None:
        """Let time pass in which `busy` sessions are in use, or all when there are fewer.

        `requests` are spread over it. Nothing is in use at the end of each second.
        """
        end_us = self.clock.us + round(seconds * SECOND_US)
        while self.clock.us < end_us:
            held = [taken(self.pool) for _ in range(min(busy, self.pool.ready))]
            self.clock.us = min(self.clock.us + SECOND_US, end_us)
            for session in held:
                self.pool.give_back(session, 0)
            if requests:
                self.pool.give_back(taken(self.pool), requests)
            await turns(3)
            await until(settled(self.pool))


def play(
    story: Callable[[Stage], Awaitable[None]], scaling: ScalingConfig, *, workers: int = 4
) -> None:
    clock = ManualClock()
    source = GatedSource(clock)
    pool = pool_of(clock, source, scaling, workers=workers)
    clock.us = 0

    async def played() -> None:
        running = asyncio.create_task(Autoscaler([pool], clock).run())
        await turns()
        await until(settled(pool))
        await story(Stage(clock, source, pool))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(clock, played())


def test_load_rises_and_sessions_grow_to_the_maximum_and_fall_when_the_window_has_passed() -> None:
    async def story(stage: Stage) -> None:
        sizes = []
        for _ in range(6):
            await stage.pass_time(15, busy=4)
            sizes.append(stage.pool.ready)
        # All in use at a target of 70 %: ceil(1 / 0.7) = 2, then 3, then 5, of which 4 may be.
        assert sizes == [2, 3, 4, 4, 4, 4]
        await stage.pass_time(290)
        assert stage.pool.ready == 4
        await stage.pass_time(45)
        assert stage.pool.ready == 1
        await stage.pass_time(1000)
        assert stage.pool.ready == 1

    play(story, ScalingConfig())


def test_load_within_the_tolerance_of_the_target_changes_nothing() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_time(400, busy=2)
        assert (stage.pool.ready, stage.source.begun) == (2, 2)

    play(story, ScalingConfig(min_sessions=2, target_utilization=0.95))


def test_a_dip_that_is_shorter_than_the_window_costs_no_session() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_time(90, busy=4)
        for _ in range(5):
            await stage.pass_time(200)
            await stage.pass_time(60, busy=4)
        assert (stage.pool.ready, stage.source.begun) == (4, 4)

    play(story, ScalingConfig())


def test_requests_a_second_scale_where_they_have_a_target() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_time(15, requests=25)
        assert stage.pool.ready == 3
        await stage.pass_time(30, requests=25)
        assert stage.pool.ready == 3

    play(story, ScalingConfig(target_requests_per_second=10))


def test_without_a_target_requests_a_second_scale_nothing() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_time(60, requests=1_000_000)
        assert stage.pool.ready == 1

    play(story, ScalingConfig())


def test_the_minimum_is_loaded_from_the_start() -> None:
    async def story(stage: Stage) -> None:
        assert (stage.pool.ready, stage.source.begun) == (3, 3)

    play(story, ScalingConfig(min_sessions=3))


def test_more_sessions_than_workers_are_never_scaled_to_though_a_minimum_holds() -> None:
    async def story(stage: Stage) -> None:
        await stage.pass_time(120, busy=8)
        assert stage.pool.ready == 2

    play(story, ScalingConfig(max_sessions=8), workers=2)
    play(story, ScalingConfig(min_sessions=2, max_sessions=8), workers=1)


def test_an_idle_model_goes_and_the_next_request_brings_it_back() -> None:
    async def story(stage: Stage) -> None:
        pool, clock = stage.pool, stage.clock
        assert pool.ready == 0
        assert pool.take() is None
        await until(lambda: pool.ready == 1)
        began_us = clock.us
        pool.give_back(taken(pool))
        clock.us = began_us + 60 * SECOND_US - 1
        await turns()
        assert pool.ready == 1
        clock.us = began_us + 60 * SECOND_US
        await turns()
        assert (pool.ready, pool.target, pool.failure) == (0, 0, None)
        await stage.pass_time(1000)
        assert (pool.ready, stage.source.begun) == (0, 2)
        assert pool.take() is None
        await until(lambda: pool.ready == 1)
        assert pool.counts.cold_starts == 2

    play(story, ScalingConfig(min_sessions=0, idle_seconds=60))


def test_a_model_in_use_is_not_idle_however_long_its_execution_takes() -> None:
    async def story(stage: Stage) -> None:
        pool, clock = stage.pool, stage.clock
        pool.take()
        await until(lambda: pool.ready == 1)
        session = taken(pool)
        for _ in range(10):
            clock.us += 50 * SECOND_US
            await turns()
        assert pool.ready == 1
        pool.give_back(session)
        await turns()
        assert pool.ready == 1
        for _ in range(3):
            clock.us += 50 * SECOND_US
            await turns()
        assert pool.ready == 0

    play(story, ScalingConfig(min_sessions=0, idle_seconds=60, interval_seconds=3600))


def test_an_idle_time_far_below_the_interval_is_kept() -> None:
    async def story(stage: Stage) -> None:
        stage.clock.us += 3 * SECOND_US
        await turns()
        stage.pool.take()
        await until(lambda: stage.pool.ready == 1)
        used_us = stage.pool.used_at_us
        while stage.pool.ready:
            stage.clock.us += 10_000
            await turns(3)
        assert stage.clock.us - used_us <= 500_000 + 10_000

    play(story, ScalingConfig(min_sessions=0, idle_seconds=0.5, interval_seconds=3600))


def test_an_unloaded_model_is_left_alone_and_a_loaded_one_scales_again() -> None:
    async def story(stage: Stage) -> None:
        stage.pool.unload()
        await stage.pass_time(100)
        assert stage.source.begun == 1
        await stage.pool.load()
        await stage.pass_time(100, busy=4)
        assert stage.pool.ready == 4

    play(story, ScalingConfig())


def test_a_model_that_cannot_grow_for_now_grows_when_it_can() -> None:
    async def story(stage: Stage) -> None:
        stage.source.broken = True
        await stage.pass_time(60, busy=4)
        assert stage.pool.ready == 1
        stage.source.broken = False
        await stage.pass_time(120, busy=4)
        assert stage.pool.ready == 4

    play(story, ScalingConfig())


@settings(max_examples=40, deadline=None)
@given(
    least=st.integers(0, 2),
    most=st.one_of(st.none(), st.integers(2, 6)),
    load=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=12),
)
def test_whatever_the_load_the_bounds_hold(
    least: int, most: int | None, load: list[tuple[int, int]]
) -> None:
    async def story(stage: Stage) -> None:
        for busy, requests in load:
            asked = requests if stage.pool.ready else 0
            await stage.pass_time(5, busy=busy, requests=asked)
            assert least <= stage.pool.ready <= max(least, min(most or 4, 4))
            if busy and not stage.pool.ready:
                stage.pool.take()
                await until(settled(stage.pool))

    scaling = ScalingConfig(
        min_sessions=least,
        max_sessions=most,
        interval_seconds=5,
        scale_down_stabilization_seconds=20,
        idle_seconds=20,
        target_requests_per_second=10,
    )
    play(story, scaling)
