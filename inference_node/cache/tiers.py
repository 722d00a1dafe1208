"""All tiers of the response cache as one: memory, then disk, then Redis."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inference_node.cache.disk import DiskTier
from inference_node.cache.entry import Entry, Value, decode_entry, encode_entry
from inference_node.cache.memory import MemoryTier
from inference_node.cache.redis_tier import RedisTier
from inference_node.clock import Clock
from inference_node.config import CacheConfig
from inference_node.models.session import Tensor

Tier = Literal["memory", "disk", "redis"]


@dataclass(frozen=True, slots=True)
class Hit:
    """Outputs that were kept, read-only, and where they were found."""

    outputs: Mapping[str, Tensor]
    tier: Tier


@dataclass(frozen=True)
class TierState:
    """One tier since the start of the node, for the metrics.

    `misses` are lookups that it could not serve, for whatever reason. `failures` are calls that the
    store failed, `dropped` are answers that it did not get. What a Redis holds is not known.
    """

    hits: int
    misses: int
    evictions: int = 0
    entries: int | None = None
    size_bytes: int | None = None
    failures: int = 0
    dropped: int = 0


class ResponseCache:
    """Answers by key. Lives in the event loop. No call raises: what a tier fails is a miss."""

    def __init__(
        self, memory: MemoryTier, disk: DiskTier | None, redis: RedisTier | None, clock: Clock
    ) -> None:
        self._memory = memory
        self._disk = disk
        self._redis = redis
        self._clock = clock
        self._hits: dict[Tier, int] = {"memory": 0, "disk": 0, "redis": 0}
        self._misses: dict[Tier, int] = {"memory": 0, "disk": 0, "redis": 0}

    @property
    def is_memory_only(self) -> bool:
        """Whether `lookup` has nothing to ask."""
        return self._disk is None and self._redis is None

    def lookup_now(self, key: bytes) -> Hit | None:
        """Return what memory keeps under `key`."""
        outputs = self._memory.lookup(key)
        if outputs is None:
            self._misses["memory"] += 1
            return None
        self._hits["memory"] += 1
        return Hit(outputs, "memory")

    async def lookup(self, key: bytes, ttl_us: int) -> Hit | None:
        """Return what the tiers below memory keep under `key` that is younger than `ttl_us`.

        The tiers above the one that has it get it, too, and keep it until its original end.
        """
        if self._disk is not None:
            value = await self._disk.lookup(key)
            if (entry := self._fresh("disk", key, value, ttl_us)) is not None:
                return self._found("disk", key, entry)
        if self._redis is not None:
            value = await self._redis.lookup(key)
            if (entry := self._fresh("redis", key, value, ttl_us)) is not None:
                if self._disk is not None and value is not None:
                    self._disk.store(key, Value(value, entry.expires_at_us))
                return self._found("redis", key, entry)
        return None

    def store(self, key: bytes, outputs: Mapping[str, Tensor], ttl_us: int) -> None:
        """Keep `outputs` for `ttl_us`: in memory at once, further down soon."""
        now_us = self._clock.now_us()
        entry = Entry(outputs, now_us, now_us + ttl_us)
        self._memory.store(key, entry)
        if self.is_memory_only:
            return
        encoded = encode_entry(key, entry)
        if encoded is None:
            return
        value = Value(encoded, entry.expires_at_us)
        if self._disk is not None:
            self._disk.store(key, value)
        if self._redis is not None:
            self._redis.store(key, value)

    async def close(self) -> None:
        """Write what waits to be written and let go of file and connections."""
        if self._disk is not None:
            await self._disk.close()
        if self._redis is not None:
            await self._redis.close()

    def state(self) -> dict[Tier, TierState]:
        """Return the state of every tier there is."""
        memory, disk, redis = self._memory, self._disk, self._redis
        states: dict[Tier, TierState] = {
            "memory": TierState(
                hits=self._hits["memory"],
                misses=self._misses["memory"],
                evictions=memory.evictions,
                entries=memory.entries,
                size_bytes=memory.size_bytes,
            )
        }
        if disk is not None:
            states["disk"] = TierState(
                hits=self._hits["disk"],
                misses=self._misses["disk"],
                evictions=disk.evictions,
                entries=disk.entries,
                size_bytes=disk.size_bytes,
                failures=disk.failures,
                dropped=disk.dropped,
            )
        if redis is not None:
            states["redis"] = TierState(
                hits=self._hits["redis"],
                misses=self._misses["redis"],
                failures=redis.failures,
                dropped=redis.dropped,
            )
        return states

    def _fresh(self, tier: Tier, key: bytes, value: bytes | None, ttl_us: int) -> Entry | None:
        entry = None if value is None else decode_entry(key, value)
        if entry is None or not entry.fresh(self._clock.now_us(), ttl_us):
            self._misses[tier] += 1
            return None
        return entry

    def _found(self, tier: Tier, key: bytes, entry: Entry) -> Hit:
        self._hits[tier] += 1
        self._memory.store(key, entry)
        return Hit(entry.outputs, tier)


def open_cache(config: CacheConfig, clock: Clock) -> ResponseCache:
    """Return the cache that `config` asks for, within a running event loop.

    Redis' password may come from the environment: `REDIS_PASSWORD`. Nothing is opened or connected
    before it is needed. Raises StartError for a `redis_url` of no use.
    """
    redis = disk = None
    if config.redis_url is not None:
        redis = RedisTier(
            config.redis_url,
            clock,
            timeout_s=config.redis_timeout_milliseconds / 1000,
            password=os.environ.get("REDIS_PASSWORD"),
        )
    if config.disk_path is not None:
        disk = DiskTier(Path(config.disk_path), config.disk_bytes, clock)
    return ResponseCache(MemoryTier(config.memory_bytes, clock), disk, redis, clock)
