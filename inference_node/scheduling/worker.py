"""Workers: who executes one batch at a time, on a thread of its own."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from inference_node.scheduling.batch import Batch

logger = logging.getLogger(__name__)


class WorkerThread:
    """Gives every batch that it is handed to `work`, which must not raise."""

    def __init__(self, name: str, work: Callable[[Batch], None]) -> None:
        self._work = work
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, batch: Batch) -> None:
        """Execute `batch` after what was handed in before."""
        self._batches.put(batch)

    def stop(self) -> None:
        """End after what was handed in before."""
        self._batches.put(None)

    def ended(self, until_s: float) -> bool:
        """Return whether all that was handed in is done by `until_s` of the monotonic clock; what
        takes longer is given up."""
        self._thread.join(max(0.0, until_s - time.monotonic()))
        if self._thread.is_alive():
            logger.error("%s still executes and is given up", self._thread.name)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._work(batch)


class Worker:
    """A worker of the bill. It executes one batch, but takes over from one in the background.

    That one goes on where the kernel finds time for it.
    """

    def __init__(self, number: int, work: Callable[[Batch], None]) -> None:
        self.number = number
        self._work = work
        self._thread = WorkerThread(f"worker-{number}", work)
        self._background: WorkerThread | None = None
        self.in_background = False

    def start(self, batch: Batch) -> None:
        """Execute `batch`, which may be taken over where it is preemptible."""
        if not batch.preemptible:
            self._thread.start(batch)
            return
        self.in_background = True
        if self._background is None:
            name = f"background-{self.number}"
            self._background = WorkerThread(name, self._work)
        self._background.start(batch)

    def stop(self) -> None:
        """Stop after what it executes now."""
        for thread in self._threads():
            thread.stop()

    def ended(self, until_s: float) -> bool:
        """Return whether what it executed has ended by `until_s` of the monotonic clock."""
        ended = [thread.ended(until_s) for thread in self._threads()]
        return all(ended)

    def _threads(self) -> list[WorkerThread]:
        return [self._thread] if self._background is None else [self._thread, self._background]
