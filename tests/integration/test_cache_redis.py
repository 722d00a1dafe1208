"""The response cache over a real Redis: shared, expiring, and gone when it likes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from inference_node.cache.breaker import LONGEST_PAUSE_US
from inference_node.cache.redis_tier import LARGEST_VALUE_BYTES, MOST_PENDING_BYTES, PREFIX
from inference_node.cache.tiers import Hit, ResponseCache, TierState, open_cache
from inference_node.config import CacheConfig
from inference_node.models.session import Tensor
from tests.integration.node_process import PATIENCE_S
from tests.integration.redis_process import RedisServer, running_redis
from tests.unit.inference_node.virtual_time import ManualClock

KEY = b"k" * 20
TTL_US = 3_600_000_000
START_US = 1_800_000_000_000_000
SECRET = "f4-secret"

Story = Callable[[ResponseCache], Awaitable[None]]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


def outputs_of(value: float) -> dict[str, Tensor]:
    return {"y": np.full((1, 2), value, np.float32), "label": np.array([["ä"]], object)}


def config_of(url: str, *, timeout_ms: int = 2000, disk: Path | None = None) -> CacheConfig:
    return CacheConfig(
        redis_url=url,
        redis_timeout_milliseconds=timeout_ms,
        disk_path=None if disk is None else str(disk),
    )


def play(config: CacheConfig, clock: ManualClock, tell: Story) -> None:
    async def told() -> None:
        cache = open_cache(config, clock)
        try:
            await tell(cache)
        finally:
            await cache.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(told())


def keep(key: bytes = KEY, value: float = 1.5) -> Story:
    async def tell(cache: ResponseCache) -> None:
        cache.store(key, outputs_of(value), TTL_US)

    return tell


async def eventually(look: Callable[[], Awaitable[Hit | None]]) -> Hit:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        hit = await look()
        if hit is not None:
            return hit
        assert time.monotonic() < deadline, "what was waited for did not happen"
        await asyncio.sleep(0.005)


def redis_state(cache: ResponseCache) -> TierState:
    return cache.state()["redis"]


def test_what_one_node_computed_another_one_finds(redis: RedisServer, clock: ManualClock) -> None:
    async def other(cache: ResponseCache) -> None:
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "redis"
        assert hit.outputs["y"].tolist() == [[1.5, 1.5]]
        assert hit.outputs["label"].tolist() == [["ä"]]
        assert cache.lookup_now(KEY) is not None
        assert await cache.lookup(b"other", TTL_US) is None
        state = redis_state(cache)
        assert (state.hits, state.misses, state.failures, state.dropped) == (1, 1, 0, 0)

    play(config_of(redis.url), clock, keep())
    play(config_of(redis.url), clock, other)


def test_redis_forgets_an_answer_when_its_time_is_up(
    redis: RedisServer, clock: ManualClock
) -> None:
    play(config_of(redis.url), clock, keep())
    left_ms = int(redis.ask(b"PTTL", PREFIX + KEY).strip()[1:])
    assert TTL_US / 1000 - PATIENCE_S * 1000 < left_ms <= TTL_US / 1000


def test_a_promoted_answer_keeps_its_original_end_in_memory_and_on_disk(
    redis: RedisServer, clock: ManualClock, tmp_path: Path
) -> None:
    disk = tmp_path / "cache.sqlite"

    async def promote(cache: ResponseCache) -> None:
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "redis"

    async def from_disk(cache: ResponseCache) -> None:
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "disk"
        assert cache.lookup_now(KEY) is not None
        clock.us += 1
        assert cache.lookup_now(KEY) is None
        assert await cache.lookup(KEY, TTL_US) is None

    play(config_of(redis.url), clock, keep())
    clock.us += TTL_US - 1
    play(config_of(redis.url, disk=disk), clock, promote)
    play(config_of(redis.url, disk=disk), clock, from_disk)


def test_foreign_and_torn_values_are_misses(redis: RedisServer, clock: ManualClock) -> None:
    play(config_of(redis.url), clock, keep())
    redis.ask(b"SET", PREFIX + b"torn", b"ICR1 and something")
    redis.ask(b"LPUSH", PREFIX + b"list", b"x")
    redis.ask(b"COPY", PREFIX + KEY, PREFIX + b"moved")

    async def tell(cache: ResponseCache) -> None:
        for key in (b"torn", b"moved", b"list"):
            assert await cache.lookup(key, TTL_US) is None

    play(config_of(redis.url), clock, tell)


def test_a_killed_redis_costs_hits_and_no_error_and_is_used_again_when_it_is_back(
    redis: RedisServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell(cache: ResponseCache) -> None:
        await keep()(cache)
        await eventually(lambda: cache.lookup(KEY, TTL_US))
        redis.kill()
        for number in range(20):
            assert await cache.lookup(KEY, TTL_US) is None
            cache.store(b"%d" % number, outputs_of(number), TTL_US)
            await asyncio.sleep(0)
        assert redis_state(cache).failures <= 3, "it is left alone after a failure"
        warnings = len(caplog.records)
        assert warnings <= 2
        for _ in range(5):
            clock.us += LONGEST_PAUSE_US
            assert await cache.lookup(KEY, TTL_US) is None
        assert len([r for r in caplog.records if "lookups are misses" in r.message]) == 1
        redis.restart()

        async def found() -> Hit | None:
            clock.us += LONGEST_PAUSE_US
            cache.store(KEY, outputs_of(2.5), TTL_US)
            return await cache.lookup(KEY, TTL_US)

        hit = await eventually(found)
        assert hit.outputs["y"].tolist() == [[2.5, 2.5]]
        assert "answers again" in caplog.text

    play(config_of(redis.url), clock, tell)
    assert "Traceback" not in caplog.text


def test_a_redis_that_hangs_costs_one_time_out_and_no_error(
    redis: RedisServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell(cache: ResponseCache) -> None:
        await keep()(cache)
        # Connected, and then deaf.
        await eventually(lambda: cache.lookup(KEY, TTL_US))
        redis.freeze()
        answers = await asyncio.gather(*(cache.lookup(KEY, TTL_US) for _ in range(200)))
        assert answers == [None] * 200
        for _ in range(50):
            assert await cache.lookup(KEY, TTL_US) is None
        # All that asked at the same moment may fail, after that nobody asks.
        failures = redis_state(cache).failures
        assert 1 <= failures <= 200
        clock.us += LONGEST_PAUSE_US
        answers = await asyncio.gather(*(cache.lookup(KEY, TTL_US) for _ in range(200)))
        assert answers == [None] * 200
        assert redis_state(cache).failures == failures + 1, "one tries for all"
        redis.thaw()

        async def found() -> Hit | None:
            clock.us += LONGEST_PAUSE_US
            return await cache.lookup(KEY, TTL_US)

        assert (await eventually(found)).outputs["y"].tolist() == [[1.5, 1.5]]

    play(config_of(redis.url, timeout_ms=200), clock, tell)
    assert "no answer in 0.2 s" in caplog.text


def test_a_redis_that_hangs_from_the_start_does_not_hold_up_the_stop(
    redis: RedisServer, clock: ManualClock
) -> None:
    async def tell(cache: ResponseCache) -> None:
        redis.freeze()
        await keep()(cache)
        assert await cache.lookup(KEY, TTL_US) is None

    play(config_of(redis.url, timeout_ms=50), clock, tell)
    redis.thaw()


def test_cancelled_lookups_never_give_one_request_the_answer_of_another(
    redis: RedisServer, clock: ManualClock
) -> None:
    keys = [b"%020d" % number for number in range(100)]

    async def tell(cache: ResponseCache) -> None:
        for number, key in enumerate(keys):
            cache.store(key, outputs_of(number), TTL_US)
        await eventually(lambda: cache.lookup(keys[-1], TTL_US))
        for turn in range(60):
            tasks = [asyncio.create_task(cache.lookup(key, TTL_US)) for key in keys]
            for _ in range(turn % 20):
                await asyncio.sleep(0)
            for task in tasks[turn % 3 :: 3]:
                task.cancel()
            for number, task in enumerate(tasks):
                try:
                    hit = await task
                except asyncio.CancelledError:
                    continue
                assert hit is None or hit.outputs["y"][0, 0] == number
        hits = [await eventually(lambda key=key: cache.lookup(key, TTL_US)) for key in keys]  # type: ignore[misc]
        assert [hit.outputs["y"][0, 0] for hit in hits] == list(range(100))

    play(config_of(redis.url), clock, tell)


def test_a_redis_that_takes_nothing_more_can_still_be_read(
    redis: RedisServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell(cache: ResponseCache) -> None:
        cache.store(b"new", outputs_of(1), TTL_US)
        while not redis_state(cache).dropped:
            await asyncio.sleep(0.005)
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "redis"

    play(config_of(redis.url), clock, keep())
    redis.ask(b"CONFIG", b"SET", b"maxmemory", b"1")
    play(config_of(redis.url), clock, tell)
    assert "nothing is kept there until it works" in caplog.text


def test_the_password_comes_from_the_environment_and_never_reaches_the_log(
    tmp_path: Path,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def refused(cache: ResponseCache) -> None:
        cache.store(KEY, outputs_of(1), TTL_US)
        assert await cache.lookup(KEY, TTL_US) is None
        assert redis_state(cache).failures > 0

    async def found(cache: ResponseCache) -> None:
        assert await cache.lookup(KEY, TTL_US) is not None

    with running_redis(tmp_path, "--requirepass", SECRET) as redis:
        wrong = redis.url.replace("redis://", f"redis://:not-{SECRET}@")
        play(config_of(redis.url), clock, refused)
        play(config_of(wrong), clock, refused)
        monkeypatch.setenv("REDIS_PASSWORD", SECRET)
        play(config_of(wrong), clock, keep())
        play(config_of(redis.url), clock, found)
    assert SECRET not in caplog.text


def test_what_is_too_large_or_too_much_is_not_sent(redis: RedisServer, clock: ManualClock) -> None:
    async def tell(cache: ResponseCache) -> None:
        cache.store(KEY, {"y": np.zeros(LARGEST_VALUE_BYTES, np.uint8)}, TTL_US)
        assert redis_state(cache).dropped == 0
        half = np.zeros(LARGEST_VALUE_BYTES // 2, np.uint8)
        waiting = MOST_PENDING_BYTES // half.nbytes
        for number in range(waiting + 10):
            cache.store(b"%d" % number, {"y": half}, TTL_US)
        assert 10 <= redis_state(cache).dropped <= 11

    play(config_of(redis.url), clock, tell)
    assert redis.ask(b"EXISTS", PREFIX + KEY) == b":0\r\n"
