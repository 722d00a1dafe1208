"""What no real Redis does on demand: a client that does not notice that it was cancelled."""

import asyncio
import gc
from typing import Any

import pytest

from inference_node.cache.breaker import LONGEST_PAUSE_US
from inference_node.cache.redis_tier import MOST_LOOKUPS, RedisTier
from tests.unit.inference_node.virtual_time import ManualClock, run, turns

TIMEOUT_US = 50_000


class DeafClient:
    """Answers when a test says so, whoever cancels it."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self._end = asyncio.Event()

    async def get(self, key: bytes) -> bytes:
        self.asked += 1
        while not self._end.is_set():
            try:
                await self._end.wait()
            except asyncio.CancelledError:
                continue
        if self.failure is not None:
            raise self.failure
        return key

    async def aclose(self, *, close_connection_pool: bool) -> None:
        assert close_connection_pool

    def end(self) -> None:
        self._end.set()


def deaf_tier(clock: ManualClock) -> tuple[RedisTier, DeafClient]:
    tier = RedisTier("redis://localhost", clock, timeout_s=TIMEOUT_US / 1e6)
    client = DeafClient()
    tier.__dict__["_client"] = client
    return tier, client


def test_a_lookup_ends_with_its_time_out_whatever_the_client_does() -> None:
    clock = ManualClock()
    complaints: list[dict[str, Any]] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        tier, client = deaf_tier(clock)
        lookup = asyncio.create_task(tier.lookup(b"k"))
        await turns()
        assert not lookup.done()
        clock.us += TIMEOUT_US
        await turns()
        assert lookup.done()
        assert await lookup is None
        assert tier.failures == 1
        client.failure = TimeoutError("of the socket, much later")
        client.end()
        await turns()
        await tier.close()
        del tier, client
        gc.collect()

    run(clock, story())
    assert complaints == []


def test_a_lookup_that_is_cancelled_ends_at_once_and_another_may_try() -> None:
    clock = ManualClock()

    async def story() -> None:
        tier, client = deaf_tier(clock)
        first = asyncio.create_task(tier.lookup(b"k"))
        await turns()
        clock.us += TIMEOUT_US
        assert await first is None
        clock.us += LONGEST_PAUSE_US
        trial = asyncio.create_task(tier.lookup(b"k"))
        await turns()
        assert await tier.lookup(b"k") is None, "one tries for all"
        trial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trial
        client.end()
        assert (await tier.lookup(b"k") or b"").endswith(b"k")
        assert (client.asked, tier.failures) == (3, 1)
        await tier.close()

    run(clock, story())


def test_more_lookups_than_there_are_connections_are_misses() -> None:
    clock = ManualClock()

    async def story() -> None:
        tier, client = deaf_tier(clock)
        lookups = [asyncio.create_task(tier.lookup(b"k")) for _ in range(MOST_LOOKUPS)]
        await turns()
        assert await tier.lookup(b"k") is None
        client.end()
        assert None not in [await lookup for lookup in lookups]
        assert client.asked == MOST_LOOKUPS
        await tier.close()

    run(clock, story())
