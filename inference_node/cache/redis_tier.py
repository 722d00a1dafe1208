"""The third tier: a Redis that replicas share; what fails is a miss."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from inference_node.cache.breaker import Breaker
from inference_node.cache.entry import Value
from inference_node.clock import Clock
from inference_node.errors import StartError

logger = logging.getLogger(__name__)

PREFIX = b"inference-cache:1:"
# A larger value might not arrive within the time-out, and then Redis would look dead to all.
LARGEST_VALUE_BYTES = 2**20
# A connection each; beyond it computing is sooner.
MOST_LOOKUPS = 128
MOST_PENDING_BYTES = 16 * 2**20
WRITTEN_AT_ONCE = 32
# Nobody waits for a write.
WRITE_TIMEOUT_S = 1.0
CLOSE_TIMEOUT_S = 1.0
# Of the loop. Where it was held up itself, the answer may be there and only not be read yet.
GRACE_TURNS = 5


class RedisTier:
    """Values under `PREFIX` in a Redis, which forgets them by itself when their time is up.

    Lives in the event loop and connects with the first call. A lookup takes at most `timeout_s`.
    After a failure Redis is left alone for a pause, so that an outage costs one time-out in each.
    Reads and writes fail apart: a full Redis, or a replica of one, can still be read.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        timeout_s: float,
        password: str | None = None,
        breaker: Callable[[], Breaker] | None = None,
    ) -> None:
        """`password` goes before the one in `url`. Raises StartError for a `url` of no use."""
        self.failures = 0
        self.dropped = 0
        self._clock = clock
        self._timeout_s = timeout_s
        self._name, self._client = _client(url, password, max(timeout_s, WRITE_TIMEOUT_S))
        self._asking: set[asyncio.Task[bytes | None]] = set()
        make = breaker or (lambda: Breaker(clock))
        self._reads, self._writes = make(), make()
        self._pending: dict[bytes, Value] = {}
        self._pending_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._closed = False

    async def lookup(self, key: bytes) -> bytes | None:
        """Return what is kept under `key`, None also where that cannot be told."""
        if self._closed or len(self._asking) >= MOST_LOOKUPS:
            return None
        attempt = self._reads.enter()
        if attempt is None:
            return None
        # In a task of its own, which is not waited for: redis-py may miss a cancel (in Python 3.11
        # asyncio.wait_for does) and would go on until its socket's time-out.
        asking = asyncio.create_task(self._get(key))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        try:
            await asyncio.wait([asking], timeout=self._timeout_s)
            for _ in range(GRACE_TURNS):
                if asking.done():
                    break
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            asking.cancel()
            self._reads.gave_up(attempt)
            raise
        if not asking.done():
            asking.cancel()
            self._failed(self._reads, attempt, TimeoutError(), self._timeout_s)
            return None
        try:
            value = asking.result()
        except Exception as error:  # whatever it is, the answer can be computed
            self._failed(self._reads, attempt, error, self._timeout_s)
            return None
        if self._reads.succeeded(attempt):
            logger.warning("%s: answers again", self._name)
        return value

    def store(self, key: bytes, value: Value) -> None:
        """Keep `value` soon, unless it is too large or more waits to be written than may."""
        size = len(value.content)
        if self._closed or self._pending_bytes + size > MOST_PENDING_BYTES:
            self.dropped += 1
            return
        if size > LARGEST_VALUE_BYTES:
            return
        replaced = self._pending.pop(key, None)
        self._pending_bytes += size - (len(replaced.content) if replaced else 0)
        self._pending[key] = value
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """Write what waits, once, and disconnect. Never raises."""
        self._closed = True
        tasks: set[asyncio.Task[Any]] = {*self._asking}
        if self._writer is not None:
            tasks.add(self._writer)
        for patience_s in (CLOSE_TIMEOUT_S, CLOSE_TIMEOUT_S):
            if tasks:
                _, tasks = await asyncio.wait(tasks, timeout=patience_s)
            for task in tasks:
                task.cancel()
        if self._pending:
            logger.warning("%s: %d answers were not written", self._name, len(self._pending))
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._client.aclose(close_connection_pool=True)
        except Exception as error:  # the process ends anyway
            logger.warning("%s: cannot be closed: %s", self._name, _reason(error, CLOSE_TIMEOUT_S))

    async def _get(self, key: bytes) -> bytes | None:
        value = await self._client.get(PREFIX + key)
        return value if isinstance(value, bytes) else None

    def _asked(self, asking: "asyncio.Task[bytes | None]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # of one that nobody waited for it would be reported as lost

    async def _write(self) -> None:
        """Write until nothing waits any more."""
        try:
            while self._pending:
                keys = list(self._pending)[:WRITTEN_AT_ONCE]
                batch = {key: self._pending.pop(key) for key in keys}
                self._pending_bytes -= sum(len(value.content) for value in batch.values())
                await self._write_batch(batch)
        finally:
            self._writer = None

    async def _write_batch(self, batch: dict[bytes, Value]) -> None:
        attempt = self._writes.enter()
        if attempt is None:
            self.dropped += len(batch)
            return
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                pipeline = self._client.pipeline(transaction=False)
                now_us = self._clock.now_us()
                for key, value in batch.items():
                    left_ms = (value.expires_at_us - now_us) // 1000
                    if left_ms > 0:
                        pipeline.set(PREFIX + key, value.content, px=left_ms)
                await pipeline.execute()
        except asyncio.CancelledError:
            self._writes.gave_up(attempt)
            raise
        except Exception as error:  # whatever it is, it costs an answer that was kept, no more
            self.dropped += len(batch)
            self._failed(self._writes, attempt, error, WRITE_TIMEOUT_S)
            return
        if self._writes.succeeded(attempt):
            logger.warning("%s: takes answers again", self._name)

    def _failed(self, breaker: Breaker, attempt: int, error: Exception, timeout_s: float) -> None:
        self.failures += 1
        if breaker.failed(attempt):
            what = "lookups are misses" if breaker is self._reads else "nothing is kept there"
            reason = _reason(error, timeout_s)
            logger.warning("%s: %s; %s until it works", self._name, reason, what)


def _client(url: str, password: str | None, socket_timeout_s: float) -> tuple[str, "Redis"]:
    """Return a name for the log, which holds no secret, and a client that is not connected yet."""
    try:
        options: dict[str, Any] = dict(parse_url(url))
        if password:
            options["password"] = password
        # One attempt; RESP2 needs no handshake of its own.
        options |= {
            "max_connections": MOST_LOOKUPS + 1,
            "socket_timeout": socket_timeout_s,
            "socket_connect_timeout": socket_timeout_s,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "driver_info": None,
            "decode_responses": False,
        }
        pool: Any = ConnectionPool(**options)
        pool.make_connection()
    except Exception as error:  # the library checks in many places, and quotes what it was given
        raise StartError(
            "cache.redis_url cannot be used; accepted: redis://host:port/db, "
            "rediss://host:port/db, unix:///path"
        ) from error
    where = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    return f"redis {where}", Redis(connection_pool=pool)


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {timeout_s:g} s"
    return " ".join(str(error).split())[:200] or type(error).__name__
