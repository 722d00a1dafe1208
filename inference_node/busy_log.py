"""When workers executed: busy time of any interval, to the microsecond."""

import threading


class BusyLog:
    """Worker threads report begin and end, the sampler takes the time of one interval at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: dict[int, int] = {}
        self._ended: list[tuple[int, int]] = []

    def begin(self, worker: int, at_us: int) -> None:
        """Worker number `worker` began to execute."""
        with self._lock:
            self._began[worker] = at_us

    def end(self, worker: int, at_us: int) -> None:
        """It has finished what it began."""
        with self._lock:
            self._ended.append((self._began.pop(worker), at_us))

    def take(self, from_us: int, to_us: int) -> int:
        """Return the worker-microseconds executed in [from_us, to_us) and forget what lies before.

        Intervals are taken in order and without gaps; `to_us` is not in the future.
        """
        with self._lock:
            spans = [*self._ended, *((began, to_us) for began in self._began.values())]
            self._ended = [span for span in self._ended if span[1] > to_us]
        return sum(max(0, min(end, to_us) - max(begin, from_us)) for begin, end in spans)
