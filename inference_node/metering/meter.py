"""Facts on their way to the spool: never in the way of a request, never silently lost."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from usage import Line, SpoolError, SpoolWriter, encode_line

logger = logging.getLogger(__name__)

# Written at once, all or none: what a full disk still takes is used, and no write takes long.
LINES_AT_ONCE = 4096


class Meter:
    """Buffers lines in memory and writes them from its own thread, in whole lines and in order.

    While the spool cannot be written, at most `buffer_records` lines wait; what comes on top is
    dropped and counted in `records_dropped`.
    """

    def __init__(
        self, writer: SpoolWriter, *, flush_interval_s: float, buffer_records: int
    ) -> None:
        self.records_dropped = 0
        self._writer = writer
        self._buffer_records = buffer_records
        self._flush_interval_s = flush_interval_s
        self._lines: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._waiting = 0  # in `_lines` and in `_unwritten`
        self._unwritten = b""
        self._unwritten_lines = 0
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()

    def add(self, line: Line) -> None:
        """Take one fact; it is in the spool within the flush interval."""
        encoded = encode_line(line)
        with self._lock:
            if self._waiting >= self._buffer_records:
                self.records_dropped += 1
                return
            self._waiting += 1
            self._lines.append(encoded)

    def close(self) -> None:
        """Write what is left, once, and let go of the spool."""
        self._stop.set()
        self._thread.join()
        if self._waiting:
            logger.error("%d facts could not be written to the spool: lost", self._waiting)
        self._writer.close()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._flush_interval_s)
            self._flush()

    def _flush(self) -> None:
        while self._unwritten or self._lines:
            if not self._unwritten:
                self._unwritten_lines = min(len(self._lines), LINES_AT_ONCE)
                pop: Callable[[], bytes] = self._lines.popleft
                self._unwritten = b"".join(pop() for _ in range(self._unwritten_lines))
            try:
                self._writer.append(self._unwritten)
            except SpoolError as error:
                if not self._failing:
                    logger.error("%s; up to %d facts wait in memory", error, self._buffer_records)
                self._failing = True
                return
            if self._failing:
                logger.warning("the spool takes facts again; %d were dropped", self.records_dropped)
            self._failing = False
            self._unwritten = b""
            with self._lock:
                self._waiting -= self._unwritten_lines
