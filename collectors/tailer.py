"""Spool to database: reads what nodes wrote, stores it exactly once, deletes what is stored."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from store import Committed, PositionConflictError, StoreError, Writer, read_positions
from usage import Boot, Chunk, Position, boots

logger = logging.getLogger(__name__)

# Read per commit: bounds memory and the time the database is locked.
ROUND_BYTES = 96 * 2**20
# What a chunk costs beside its lines, so that many empty ones end a round, too.
CHUNK_BYTES = 2**13


@dataclass
class Collected:
    """What one or more rounds stored."""

    records: int = 0
    samples: int = 0
    rejected: int = 0

    def add(self, committed: Committed) -> None:
        """Count what one commit stored."""
        self.records += committed.records
        self.samples += committed.samples
        self.rejected += committed.rejected


class Tailer:
    """Follows one spool folder into one database. `now_us` tells the time of a commit.

    `recovering` is for a database that has lost the positions: facts that it holds are passed over.
    Behind a backlog two writers take turns: one reads the next lines while the other one commits.
    """

    def __init__(
        self,
        spool: Path,
        database: Path,
        now_us: Callable[[], int],
        *,
        round_bytes: int = ROUND_BYTES,
        recovering: bool = False,
    ) -> None:
        self._recovering = recovering
        self._spool = spool
        self._database = database
        self._now_us = now_us
        self._round_bytes = round_bytes
        self._stored = read_positions(database)
        self._read_to = dict(self._stored)
        self._writers = [Writer(database), Writer(database)]
        self._thread = ThreadPoolExecutor(1, "commit")
        self._pending: tuple[Future[Committed], list[Chunk]] | None = None
        self._first = 0
        self.collected = Collected()

    def close(self) -> None:
        """Let go of the writers; what was not stored stays in the spool."""
        self._thread.shutdown()
        for writer in self._writers:
            writer.close()

    def collect_round(self) -> int:
        """Store the next lines of the boots; return how many bytes were read.

        After a full round, some of them may still be on their way into the database when this
        returns. Nothing is lost when it fails: the lines stay in the spool. Raises StoreErrors.
        """
        chunks = self._read()
        size = sum(chunk.end.offset - chunk.start.offset for chunk in chunks)
        with self._starting_over_on_errors():
            if chunks:
                self._writers[0].add_chunks(chunks, self._now_us())
            self._settle()
            if chunks and self._recovering:
                self._writers[0].drop_known()
            if chunks:
                self._commit(chunks)
                if not self.is_behind(size):
                    self._settle()
        self._delete_stored()
        return size

    def settle(self) -> None:
        """Wait until what was read is stored: the file is for others then. Raises StoreErrors."""
        with self._starting_over_on_errors():
            self._settle()
        self._delete_stored()

    def is_behind(self, size: int) -> bool:
        """Tell whether a round of `size` bytes was about full, so that there is more to read."""
        return 2 * size >= self._round_bytes

    def collect_all(self) -> None:
        """Store everything that the spool holds now, round after round. Raises StoreErrors."""
        while self.collect_round():
            pass

    def _read(self) -> list[Chunk]:
        """Read the boots in turn until a round is full; the next round begins where this ended."""
        found = boots(self._spool)
        chunks: list[Chunk] = []
        left = self._round_bytes
        for place in range(len(found)):
            boot = found[(self._first + place) % len(found)]
            position = _position(self._read_to, boot)
            # A chunk is of one segment, and a receiver makes many small ones.
            while left > 0 and (chunk := boot.read(position, left)) is not None:
                chunks.append(chunk)
                position = chunk.end
                left -= len(chunk.data) + CHUNK_BYTES
            if left <= 0:
                self._first = (self._first + place + 1) % len(found)
                break
        return chunks

    def _commit(self, chunks: list[Chunk]) -> None:
        """Let the writer that has read `chunks` commit them; the other one is free to read."""
        writer = self._writers[0]
        self._writers.reverse()
        self._pending = (self._thread.submit(writer.commit, now_us=self._now_us()), chunks)
        for chunk in chunks:
            self._read_to[chunk.node_id, chunk.boot_id] = chunk.end

    def _settle(self) -> None:
        """Wait for the commit on its way, if there is one. Raises what it raised."""
        if self._pending is None:
            return
        (commit, chunks), self._pending = self._pending, None
        self.collected.add(commit.result())
        for chunk in chunks:
            self._stored[chunk.node_id, chunk.boot_id] = chunk.end

    @contextmanager
    def _starting_over_on_errors(self) -> Iterator[None]:
        try:
            yield
        except PositionConflictError as error:
            logger.warning("%s; reading the positions again", error)
            self._stored = read_positions(self._database)
            self._start_over()
        except BaseException:
            self._start_over()
            raise

    def _start_over(self) -> None:
        """Forget what was read and not stored."""
        with suppress(StoreError):
            self._settle()
        for writer in self._writers:
            writer.forget()
        self._read_to = dict(self._stored)

    def _delete_stored(self) -> None:
        for boot in boots(self._spool):
            boot.delete_consumed(_position(self._stored, boot))


def _position(positions: dict[tuple[str, str], Position], boot: Boot) -> Position:
    return positions.get((boot.node_id, boot.boot_id), Position())
