"""The second tier: a file, on a thread of its own; what fails is a miss."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from inference_node.cache.breaker import Breaker
from inference_node.cache.disk_store import DiskStore
from inference_node.cache.entry import Value
from inference_node.clock import Clock

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# A disk that takes longer costs more than it saves.
TIMEOUT_S = 0.5
CLOSE_TIMEOUT_S = 5.0
# Beyond it computing is sooner than waiting for the disk.
MOST_LOOKUPS = 256
# In one transaction at most, behind which lookups wait.
MOST_PENDING_BYTES = 16 * 2**20


class DiskTier:
    """At most `max_bytes` of values in `path`. Lives in the event loop and never blocks it.

    While the file cannot be used every lookup is a miss and nothing is kept; it is tried again
    after a pause. One warning tells when that begins and one when it ends.
    """

    def __init__(
        self, path: Path, max_bytes: int, clock: Clock, *, breaker: Breaker | None = None
    ) -> None:
        self.failures = 0
        self.dropped = 0
        self._path = path
        self._store = DiskStore(path, max_bytes, clock)
        self._breaker = breaker or Breaker(clock)
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache-disk")
        self._lookups = 0
        self._pending: dict[bytes, Value] = {}
        self._pending_bytes = 0
        self._writing: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def entries(self) -> int:
        """How many values the file holds, expired ones that still wait for their turn included."""
        return self._store.entries

    @property
    def size_bytes(self) -> int:
        """How much they take, about."""
        return self._store.size_bytes

    @property
    def evictions(self) -> int:
        """How many made room for others."""
        return self._store.evictions

    async def lookup(self, key: bytes) -> bytes | None:
        """Return what is kept under `key`, None also where that cannot be told."""
        if self._closed or self._lookups >= MOST_LOOKUPS:
            return None
        attempt = self._breaker.enter()
        if attempt is None:
            return None
        self._lookups += 1
        found = self._in_thread(partial(self._store.get, key))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                value = await found
        except asyncio.CancelledError:
            self._breaker.gave_up(attempt)
            raise
        except Exception as error:  # whatever it is, the answer can be computed
            self._failed(attempt, error)
            return None
        finally:
            self._lookups -= 1
        self._succeeded(attempt)
        return value

    def store(self, key: bytes, value: Value) -> None:
        """Keep `value` soon, unless more waits to be written than may."""
        if self._closed or self._pending_bytes + len(value.content) > MOST_PENDING_BYTES:
            self.dropped += 1
            return
        replaced = self._pending.pop(key, None)
        self._pending_bytes += len(value.content) - (len(replaced.content) if replaced else 0)
        self._pending[key] = value
        self._write()

    async def close(self) -> None:
        """Write what waits, once, and let go of the file."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while self._writing is not None:
                    await asyncio.wait([self._writing])
                await self._in_thread(self._store.close)
        except TimeoutError:
            logger.warning("cache file %s: cannot be closed in time", self._path)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _write(self) -> None:
        """Give the thread all that waits, in one transaction, unless it writes already."""
        if self._writing is not None or not self._pending:
            return
        batch, self._pending, self._pending_bytes = self._pending, {}, 0
        attempt = self._breaker.enter()
        if attempt is None:
            self.dropped += len(batch)
            return
        self._writing = self._in_thread(partial(self._store.put, batch))
        self._writing.add_done_callback(partial(self._written, attempt, len(batch)))

    def _written(self, attempt: int, values: int, done: "asyncio.Future[None]") -> None:
        self._writing = None
        error = None if done.cancelled() else done.exception()
        if done.cancelled():
            self._breaker.gave_up(attempt)
        elif error is None:
            self._succeeded(attempt)
        else:
            self.dropped += values
            self._failed(attempt, error)
        self._write()

    def _in_thread(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        return self._loop.run_in_executor(self._thread, work)

    def _failed(self, attempt: int, error: BaseException) -> None:
        self.failures += 1
        if self._breaker.failed(attempt):
            reason = str(error) or f"cache file {self._path}: no answer in {TIMEOUT_S} s"
            logger.warning("%s; answers are computed until it works", reason)

    def _succeeded(self, attempt: int) -> None:
        if self._breaker.succeeded(attempt):
            logger.warning("cache file %s: works again", self._path)
