"""Facts on their way to the spool: never in the way of a request, never silently lost."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from usage import Line, SpoolError, SpoolWriter, encode_lines

logger = logging.getLogger(__name__)

# Written at once, all or none: what a full disk still takes is used, and no write takes long.
LINES_AT_ONCE = 4096


class Meter:
    """Buffers lines in memory and writes them from its own thread, in whole lines and in order.

    While the spool cannot be written, at most `buffer_records` lines wait; what comes on top is
    dropped and counted in `records_dropped`; `failing` tells that the last write failed.
    """

    def __init__(
        self, writer: SpoolWriter, *, flush_interval_s: float, buffer_records: int
    ) -> None:
        self.records_dropped = 0
        self.failing = False
        self._writer = writer
        self._buffer_records = buffer_records
        self._flush_interval_s = flush_interval_s
        self._lines: deque[Line] = deque()
        self._lock = threading.Lock()
        self._waiting = 0  # in `_lines` and in `_unwritten`
        self._unwritten = b""
        self._unwritten_lines = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()

    @property
    def records_buffered(self) -> int:
        """How many lines wait in memory to be written."""
        return self._waiting

    def add(self, line: Line) -> None:
        """Take one fact; it is in the spool within the flush interval."""
        with self._lock:
            if self._waiting >= self._buffer_records:
                self.records_dropped += 1
                return
            self._waiting += 1
            self._lines.append(line)

    def close(self) -> bool:
        """Write what is left, once, and let go of the spool; return whether it has every fact."""
        self._stop.set()
        self._thread.join()
        if self._waiting:
            logger.error("%d facts could not be written to the spool: lost", self._waiting)
        self._writer.close()
        return not self._waiting and not self.records_dropped

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._flush_interval_s)
            self._flush()

    def _flush(self) -> None:
        # What arrives meanwhile has its own turn: to chase it would be to write all the time.
        due = len(self._lines)
        while self._unwritten or due:
            if not self._unwritten:
                due -= self._encode(min(due, LINES_AT_ONCE))
            try:
                self._writer.append(self._unwritten)
            except SpoolError as error:
                if not self.failing:
                    logger.error("%s; up to %d facts wait in memory", error, self._buffer_records)
                self.failing = True
                return
            if self.failing:
                logger.warning("the spool takes facts again; %d were dropped", self.records_dropped)
            self.failing = False
            self._unwritten = b""
            with self._lock:
                self._waiting -= self._unwritten_lines

    def _encode(self, count: int) -> int:
        """Encode the next `count` facts, of which some may turn out to have no JSON."""
        pop: Callable[[], Line] = self._lines.popleft
        lines = [pop() for _ in range(count)]
        try:
            self._unwritten = encode_lines(lines)
        except Exception:  # a defect must not take the meter's thread with it, nor other facts
            logger.exception("a defect in the node: a fact that cannot be written is dropped")
            encoded = [text for text in map(_encoded, lines) if text]
            with self._lock:
                self._waiting -= len(lines) - len(encoded)
                self.records_dropped += len(lines) - len(encoded)
            self._unwritten, self._unwritten_lines = b"".join(encoded), len(encoded)
        else:
            self._unwritten_lines = len(lines)
        return count


def _encoded(line: Line) -> bytes:
    try:
        return encode_lines([line])
    except Exception:
        return b""
