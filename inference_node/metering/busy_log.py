"""When workers executed: busy time of any interval, to the microsecond."""

import threading
from dataclasses import dataclass

from inference_node.clock import Clock


@dataclass
class _Background:
    """An execution that gives way; `since_us` is None while it does."""

    since_us: int | None
    accounted_us: int = 0


class BusyLog:
    """Worker threads report begin and end, the sampler takes the time of one interval at a time.

    A worker's time is never counted twice: what it executes in the background counts only while
    nothing else executes on the same worker. So busy time never exceeds workers times time, and the
    times that `end` and `end_background` return add up to it exactly.

    An execution that nobody can wait for any longer is ended early by `give_up`, on another thread
    than its own; its end says later what was said then.

    The clock is read under the lock: an instant read before it could fall into an interval that
    was taken meanwhile, and what lies there would be lost or counted twice.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[int, int] = {}
        self._background: dict[int, _Background] = {}
        self._ended: list[tuple[int, int]] = []
        self._given_up: dict[int, int] = {}
        self._background_given_up: dict[int, tuple[int, int]] = {}

    def begin(self, worker: int) -> int:
        """Worker number `worker` begins to execute; return the instant.

        What it executes in the background is suspended until `end`.
        """
        with self._lock:
            began_us = self._began[worker] = self._clock.now_us()
            if worker in self._background:
                self._suspend(self._background[worker], began_us)
        return began_us

    def end(self, worker: int) -> int:
        """It has finished what it began; return the instant."""
        with self._lock:
            if worker in self._given_up:
                return self._given_up.pop(worker)
            return self._end(worker)

    def give_up(self, worker: int) -> int | None:
        """What it executes counts up to now; return the instant, None where it has ended."""
        with self._lock:
            if worker in self._began:
                self._given_up[worker] = self._end(worker)
            return self._given_up.get(worker)

    def begin_background(self, worker: int) -> int:
        """Worker number `worker` begins to execute in the background; return the instant."""
        with self._lock:
            began_us = self._clock.now_us()
            since_us = None if worker in self._began else began_us
            self._background[worker] = _Background(since_us)
        return began_us

    def end_background(self, worker: int) -> tuple[int, int]:
        """It has finished that; return the instant and the microseconds that count for it."""
        with self._lock:
            if worker in self._background_given_up:
                return self._background_given_up.pop(worker)
            return self._end_background(worker)

    def give_up_background(self, worker: int) -> tuple[int, int] | None:
        """What it executes in the background counts up to now; return as `end_background`, None
        where it has ended."""
        with self._lock:
            if worker in self._background:
                self._background_given_up[worker] = self._end_background(worker)
            return self._background_given_up.get(worker)

    def take(self, from_us: int, to_us: int) -> int:
        """Return the worker-microseconds executed in [from_us, to_us) and forget what lies before.

        Intervals are taken in order and without gaps; `to_us` is not in the future.
        """
        with self._lock:
            begun = [
                *self._began.values(),
                *(one.since_us for one in self._background.values() if one.since_us is not None),
            ]
            spans = [*self._ended, *((began, to_us) for began in begun)]
            self._ended = [span for span in self._ended if span[1] > to_us]
        return sum(max(0, min(end, to_us) - max(begin, from_us)) for begin, end in spans)

    def _end(self, worker: int) -> int:
        ended_us = self._clock.now_us()
        self._ended.append((self._began.pop(worker), ended_us))
        if worker in self._background:
            self._background[worker].since_us = ended_us
        return ended_us

    def _end_background(self, worker: int) -> tuple[int, int]:
        ended_us = self._clock.now_us()
        background = self._background.pop(worker)
        self._suspend(background, ended_us)
        return ended_us, background.accounted_us

    def _suspend(self, background: _Background, now_us: int) -> None:
        if background.since_us is not None:
            self._ended.append((background.since_us, now_us))
            background.accounted_us += now_us - background.since_us
            background.since_us = None
