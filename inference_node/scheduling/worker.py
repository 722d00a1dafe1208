"""Workers: who executes one batch at a time, on a thread of its own."""

import logging
import queue
import threading
from collections.abc import Callable

from inference_node.scheduling.batch import Batch

logger = logging.getLogger(__name__)

# An execution that was given this long after the end of everything may never end.
PATIENCE_S = 5.0


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

    def stop(self) -> bool:
        """Return whether all that was handed in is done; what takes too long is given up."""
        self._batches.put(None)
        self._thread.join(PATIENCE_S)
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

    def stop(self) -> bool:
        """Stop after what it executes now; return whether that has ended."""
        stopped = self._thread.stop()
        return stopped if self._background is None else self._background.stop() and stopped
