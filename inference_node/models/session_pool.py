"""The sessions of one model version in one pool of workers: opened, lent, dropped."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from inference_node.clock import Clock
from inference_node.errors import ModelUnavailableError, StartError
from inference_node.models.config import ScalingConfig
from inference_node.models.session import Session, UsedDevice

logger = logging.getLogger(__name__)

# How long after a failed load demand begins another one: doubled with every failure in a row.
FIRST_RETRY_US = 1_000_000
LONGEST_RETRY_US = 60_000_000
STOPPING = "the node is stopping"


@dataclass
class LoadCounts:
    """What loading cost since the start. A cold start is a load that requests waited for."""

    loads: int = 0
    failures: int = 0
    cold_starts: int = 0
    load_us: int = 0
    warm_up_us: int = 0
    last_load_us: int = 0
    last_warm_up_us: int = 0


@dataclass(frozen=True)
class _Loaded:
    """A session that is ready, and how long opening it and its warm-up run took."""

    session: Session
    load_us: int
    warm_up_us: int


class SessionPool:
    """Lends sessions to who executes. Lives in the event loop; only loading is on another thread,
    one load at a time.

    All sessions that are lent are made of one file, whose `fingerprint` is kept here. When it is
    replaced they go on; `load` opens as many of the new one, and then takes them all at once.

    `open_session` and `warm_up` are called on that thread; the first raises StartError when the
    model cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        version: str,
        *,
        device: UsedDevice,
        workers: int,
        scaling: ScalingConfig,
        open_session: Callable[[], Session],
        warm_up: Callable[[Session], None],
        clock: Clock,
    ) -> None:
        self.device = device
        self.scaling = scaling
        self.counts = LoadCounts()
        self.fingerprint = ""
        self.requests = 0
        self.used_at_us = clock.now_us()
        self._label = f"model {model!r} version {version!r}"
        self._workers = workers
        self._open_session = open_session
        self._warm_up = warm_up
        self._clock = clock
        self._target = scaling.min_sessions
        self._free: list[Session] = []
        self._taken: dict[Session, int] = {}
        self._outdated: set[Session] = set()  # taken, and not to be lent again
        self._fresh: list[Session] | None = None  # to take the place of all; None: nobody asked
        self._renewals = 0
        self._loading = False
        self._awaited = False
        self._unloaded = False
        self._closed = False
        self._failure: str | None = None
        self._failures_in_row = 0
        self._retry_at_us = 0
        self._loads: list[asyncio.Future[None]] = []
        self._callbacks: list[Callable[[], object]] = []
        self._busy_us = 0
        self._ready_us = 0
        self._ready_since_us = clock.now_us()

    @property
    def ready(self) -> int:
        """How many sessions are loaded, in use or not."""
        return len(self._free) + len(self._taken)

    @property
    def loading(self) -> int:
        """How many are being loaded now."""
        return int(self._loading)

    @property
    def target(self) -> int:
        """How many there should be."""
        return self._target

    @property
    def busy(self) -> int:
        """How many are in use."""
        return len(self._taken)

    @property
    def max_sessions(self) -> int:
        """The most that scaling may ask for: a session without a worker would never be used."""
        wanted = self.scaling.max_sessions or self._workers
        return max(self.scaling.min_sessions, min(wanted, self._workers))

    @property
    def failure(self) -> ModelUnavailableError | None:
        """Why no session can be expected; None while there is one or one can be loaded.

        A new one for everybody who asks: raising it leaves a trace on it.
        """
        if self._failure is None or (self.ready and not self._unloaded):
            return None
        return ModelUnavailableError(self._failure)

    @property
    def _to_lend(self) -> int:
        return self.ready - len(self._outdated)

    def busy_us(self) -> int:
        """Return the time that sessions were in use since the start, those in use now included."""
        now_us = self._clock.now_us()
        return self._busy_us + sum(now_us - taken_us for taken_us in self._taken.values())

    def ready_us(self) -> int:
        """Return the session-microseconds that were there to be used since the start."""
        return self._ready_us + self.ready * (self._clock.now_us() - self._ready_since_us)

    def when_free(self, callback: Callable[[], object]) -> None:
        """Have `callback` called in the event loop whenever a load has ended, well or not, and when
        the model is unloaded.

        Not for a session that is given back: who gives it back knows.
        """
        self._callbacks.append(callback)

    def take(self) -> Session | None:
        """Return a session for one execution, None when none is free now.

        When none is loaded or loading, a load begins, unless `failure` says why not.
        """
        self.used_at_us = self._clock.now_us()
        if self._free:
            session = self._free.pop()
            self._taken[session] = self.used_at_us
            return session
        self._require_one()
        return None

    def give_back(self, session: Session, requests: int = 1) -> None:
        """End the use of what `take` returned; it executed that many requests."""
        now_us = self.used_at_us = self._clock.now_us()
        outdated = session in self._outdated
        too_many = outdated or self._to_lend > self._target
        if too_many:
            self._count_ready_time()
        self._busy_us += now_us - self._taken.pop(session)
        self.requests += requests
        if not too_many:
            self._free.append(session)
        elif outdated:
            self._outdated.remove(session)
            self._fill()

    def borrow(self) -> Session | None:
        """Return a loaded session, free or in use, without taking it; it may be used by several
        threads at once. None, as with `take`, when none is loaded."""
        self.used_at_us = self._clock.now_us()
        if self._free:
            return self._free[-1]
        if self._to_lend and not self._unloaded:
            return next(session for session in self._taken if session not in self._outdated)
        self._require_one()
        return None

    def scale_to(self, sessions: int) -> None:
        """Drop or load sessions until there are that many; one in use goes when given back."""
        if self._unloaded or self._closed:
            return
        self._target = sessions
        self._drop_free()
        self._fill()

    async def load(self) -> None:
        """Load the model, also when it was unloaded; return when it is ready. One that is ready is
        loaded anew, and serves until then; where that fails it goes on.

        Raises ModelUnavailableError when it cannot be loaded or is unloaded meanwhile.
        """
        if self._closed:
            raise ModelUnavailableError(STOPPING)
        self._unloaded = False
        self._failure = None
        self._retry_at_us = 0
        self._target = max(self._target, self.scaling.min_sessions, 1)
        self.used_at_us = self._clock.now_us()
        if self.ready or self._loading:
            # Whoever asks has a file that is there by now: what was opened before may be older.
            self._fresh = []
            self._renewals += 1
        self._fill()
        if not self._loading:
            raise ModelUnavailableError(self._failure or STOPPING)
        done = asyncio.get_running_loop().create_future()
        self._loads.append(done)
        await done

    def unload(self) -> None:
        """Drop all sessions and load none until `load` is called; one in use goes when given
        back."""
        self._unloaded = True
        self._target = 0
        self._fresh = None
        self._drop_free()
        self._failure = f"{self._label} is unloaded; load it first"
        self._call_back()

    def open_first(self) -> Session:
        """Load the first session at once, on this thread, and return it. Raises StartError.

        Of a model that may have none it is dropped again: it was only to show that it can be.
        """
        loaded = self._load()
        self._count(loaded)
        self.fingerprint = loaded.session.fingerprint
        if self._target:
            self._add(loaded.session)
        return loaded.session

    def close(self) -> None:
        """Load nothing any more. A load on its way ends on its own; nothing waits for it here."""
        self._closed = True
        self._target = 0
        self._fresh = None
        self._failure = STOPPING
        self._resolve_loads()

    def _require_one(self) -> None:
        if self._to_lend or self._unloaded or self._closed:
            return
        self._target = max(self._target, 1)
        self._fill()
        self._awaited = self._awaited or self._loading

    def _fill(self) -> None:
        """Begin a load if sessions are missing; when it has ended well, the next one begins."""
        renewal = None if self._fresh is None else self._renewals
        there = self._to_lend if self._fresh is None else len(self._fresh)
        if self._loading or self._closed or there >= self._target:
            return
        if renewal is None and self._clock.now_us() < self._retry_at_us:
            return
        about = (asyncio.get_running_loop(), renewal)
        # No daemon: the process would end while ONNX Runtime is at work, which aborts it.
        thread = threading.Thread(target=self._run, args=about, name="load", daemon=False)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            logger.error("%s: %s", self._label, error)
            self._failed(renewal)
            self._resolve_loads(failed=True)
            return
        self._loading = True
        self._failure = None

    def _run(self, loop: asyncio.AbstractEventLoop, renewal: int | None) -> None:
        """On the thread: load, and hand over to the loop whatever came of it."""
        result: _Loaded | None = None
        try:
            result = self._load()
        except StartError as error:
            logger.error("%s", error)
        except Exception:  # a defect must not leave requests waiting for ever
            logger.exception("a defect in the node: loading %s", self._label)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(self._arrived, result, renewal)

    def _load(self) -> _Loaded:
        began_us = self._clock.now_us()
        session = self._open_session()
        opened_us = self._clock.now_us()
        self._warm_up(session)
        return _Loaded(session, opened_us - began_us, self._clock.now_us() - opened_us)

    def _arrived(self, result: _Loaded | None, renewal: int | None) -> None:
        """A load has ended; that of `renewal` is to take the place of what there is."""
        self._loading = False
        if self._closed:
            return
        if result is not None:
            self._count(result)
        if renewal is not None and (self._fresh is None or renewal != self._renewals):
            pass  # it was unloaded, or loaded again, meanwhile
        elif result is None:
            self._failed(renewal)
        elif self._fresh is not None and renewal is not None:
            self._renew(self._fresh, result.session)
        elif self._to_lend and result.session.fingerprint != self.fingerprint:
            logger.error("%s: its file was replaced; it serves when it is loaded", self._label)
            self._failed(renewal)
        elif self._to_lend < self._target:
            self._add(result.session)
        self._awaited = False
        if self._fresh is None:
            self._resolve_loads(failed=result is None)
        self._fill()
        self._call_back()

    def _renew(self, fresh: list[Session], session: Session) -> None:
        """Keep one more fresh session; when there are enough, lend them and no others."""
        if fresh and fresh[0].fingerprint != session.fingerprint:
            fresh.clear()  # the file was replaced once more
        fresh.append(session)
        if len(fresh) >= self._target:
            self._count_ready_time()
            self.fingerprint = session.fingerprint
            self._fresh = None
            self._free.clear()
            self._outdated = set(self._taken)
            for one in fresh[: self._target]:
                self._add(one)

    def _add(self, session: Session) -> None:
        self._count_ready_time()
        self._failures_in_row = 0
        self._retry_at_us = 0
        self.fingerprint = session.fingerprint
        self._free.append(session)

    def _count(self, loaded: _Loaded) -> None:
        counts = self.counts
        counts.loads += 1
        counts.cold_starts += self._awaited
        counts.load_us += loaded.load_us
        counts.warm_up_us += loaded.warm_up_us
        counts.last_load_us, counts.last_warm_up_us = loaded.load_us, loaded.warm_up_us
        logger.info(
            "%s loaded on the %s in %.3f s, warm-up %.3f s",
            self._label,
            self.device,
            loaded.load_us / 1e6,
            loaded.warm_up_us / 1e6,
        )

    def _failed(self, renewal: int | None) -> None:
        self.counts.failures += 1
        if renewal is not None:
            self._fresh = None
        delay_us = min(FIRST_RETRY_US << self._failures_in_row, LONGEST_RETRY_US)
        self._failures_in_row = min(self._failures_in_row + 1, 16)
        self._retry_at_us = self._clock.now_us() + delay_us
        if not self._unloaded:
            self._failure = f"{self._label} cannot be loaded now; try again later"

    def _drop_free(self) -> None:
        self._count_ready_time()
        while self._free and self._to_lend > self._target:
            self._free.pop()

    def _count_ready_time(self) -> None:
        """Count up to now what is ready; it is about to change."""
        self._ready_us = self.ready_us()
        self._ready_since_us = self._clock.now_us()

    def _resolve_loads(self, *, failed: bool = False) -> None:
        """Tell all who wait for a load; one that `failed` is none, also where others serve."""
        for done in self._loads:
            failure = ModelUnavailableError(self._failure or STOPPING) if failed else self.failure
            if done.done():  # nobody waits for it any more
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
        self._loads.clear()

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()
