"""Memory over disk: what is found where, promoted with its original end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from inference_node.cache.tiers import ResponseCache, open_cache
from inference_node.config import CacheConfig
from inference_node.errors import StartError
from inference_node.models.session import Tensor
from tests.unit.inference_node.virtual_time import ManualClock

KEY = b"k" * 20
TTL_US = 1_000_000_000

Story = Callable[[ResponseCache], Awaitable[None]]


def play(clock: ManualClock, config: CacheConfig, tell: Story) -> None:
    async def told() -> None:
        cache = open_cache(config, clock)
        await tell(cache)
        await cache.close()

    asyncio.run(told())


def outputs_of(value: float) -> dict[str, Tensor]:
    return {"y": np.full((1, 2), value, np.float32), "label": np.array([["a"]], object)}


async def keep(cache: ResponseCache) -> None:
    cache.store(KEY, outputs_of(1.5), TTL_US)


def test_what_memory_has_is_found_at_once() -> None:
    clock = ManualClock()

    async def tell(cache: ResponseCache) -> None:
        assert cache.is_memory_only
        assert cache.lookup_now(KEY) is None
        assert await cache.lookup(KEY, TTL_US) is None
        await keep(cache)
        hit = cache.lookup_now(KEY)
        assert hit is not None
        assert hit.tier == "memory"
        assert hit.outputs["y"].tolist() == [[1.5, 1.5]]
        state = cache.state()
        assert state.keys() == {"memory"}
        memory = state["memory"]
        assert (memory.hits, memory.misses, memory.entries) == (1, 1, 1)

    play(clock, CacheConfig(), tell)


def test_after_a_restart_disk_has_it_and_memory_gets_it_with_its_original_end(
    tmp_path: Path,
) -> None:
    clock = ManualClock(us=10**15)
    config = CacheConfig(disk_path=str(tmp_path / "c"))

    async def second(cache: ResponseCache) -> None:
        assert cache.lookup_now(KEY) is None
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "disk"
        assert hit.outputs["y"].tolist() == [[1.5, 1.5]]
        assert hit.outputs["label"].tolist() == [["a"]]
        again = cache.lookup_now(KEY)
        assert again is not None
        assert again.tier == "memory"
        clock.us += TTL_US // 2
        assert cache.lookup_now(KEY) is None
        assert await cache.lookup(KEY, TTL_US) is None
        state = cache.state()
        assert (state["disk"].hits, state["disk"].misses) == (1, 1)
        assert state["disk"].entries == 1

    play(clock, config, keep)
    clock.us += TTL_US // 2
    play(clock, config, second)


def test_an_answer_older_than_the_node_now_accepts_is_a_miss(tmp_path: Path) -> None:
    clock = ManualClock(us=10**15)
    config = CacheConfig(disk_path=str(tmp_path / "c"))

    async def second(cache: ResponseCache) -> None:
        assert await cache.lookup(KEY, 1000) is None
        assert await cache.lookup(KEY, 1001) is not None

    play(clock, config, keep)
    clock.us += 1000
    play(clock, config, second)


def test_an_answer_too_large_for_memory_is_found_on_disk(tmp_path: Path) -> None:
    config = CacheConfig(memory_bytes=10, disk_path=str(tmp_path / "c"))

    async def tell(cache: ResponseCache) -> None:
        await keep(cache)
        assert cache.lookup_now(KEY) is None
        hit = await cache.lookup(KEY, TTL_US)
        assert hit is not None
        assert hit.tier == "disk"

    play(ManualClock(), config, tell)


@pytest.mark.parametrize(
    "url",
    ["http://u:secret@h", "secret", "redis://:secret@h:port", "redis://:secret@h?db=secret",
     "redis://:secret@h?nonsense=secret", ""],
)  # fmt: skip
def test_a_redis_url_of_no_use_is_one_line_without_its_secrets(url: str) -> None:
    async def start() -> None:
        open_cache(CacheConfig(redis_url=url), ManualClock())

    with pytest.raises(StartError, match=r"^cache\.redis_url cannot be used") as caught:
        asyncio.run(start())
    assert "secret" not in str(caught.value)
