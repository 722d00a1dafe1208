"""When workers executed: busy time of any interval, to the microsecond."""

import threading

from inference_node.clock import Clock


class BusyLog:
    """Worker threads report begin and end, the sampler takes the time of one interval at a time.

    The clock is read under the lock: an instant read before it could fall into an interval that
    was taken meanwhile, and what lies there would be lost or counted twice.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[int, int] = {}
        self._ended: list[tuple[int, int]] = []

    def begin(self, worker: int) -> int:
        """Worker number `worker` begins to execute; return the instant."""
        with self._lock:
            began_us = self._began[worker] = self._clock.now_us()
        return began_us

    def end(self, worker: int) -> int:
        """It has finished what it began; return the instant."""
        with self._lock:
            ended_us = self._clock.now_us()
            self._ended.append((self._began.pop(worker), ended_us))
        return ended_us

    def take(self, from_us: int, to_us: int) -> int:
        """Return the worker-microseconds executed in [from_us, to_us) and forget what lies before.

        Intervals are taken in order and without gaps; `to_us` is not in the future.
        """
        with self._lock:
            spans = [*self._ended, *((began, to_us) for began in self._began.values())]
            self._ended = [span for span in self._ended if span[1] > to_us]
        return sum(max(0, min(end, to_us) - max(begin, from_us)) for begin, end in spans)
