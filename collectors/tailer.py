"""Spool to database: reads what nodes wrote, stores it exactly once, deletes what is stored."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from store import (
    Advance,
    Batch,
    PositionConflictError,
    RejectedLine,
    commit,
    read_positions,
)
from usage import (
    Chunk,
    InvalidLineError,
    Position,
    UsageRecord,
    boots,
    decode_line,
)

logger = logging.getLogger(__name__)

# Read per commit and boot: bounds memory and the time the database is locked.
CHUNK_BYTES = 8 * 2**20


@dataclass
class Collected:
    """What one or more rounds stored."""

    records: int = 0
    samples: int = 0
    rejected: int = 0

    def __iadd__(self, other: "Collected") -> "Collected":
        self.records += other.records
        self.samples += other.samples
        self.rejected += other.rejected
        return self


class Tailer:
    """Follows one spool folder into one database. `now_us` tells the time of a commit."""

    def __init__(
        self,
        spool: Path,
        database: Path,
        now_us: Callable[[], int],
        *,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._spool = spool
        self._database = database
        self._now_us = now_us
        self._chunk_bytes = chunk_bytes
        self._positions = read_positions(database)

    def collect_round(self) -> Collected:
        """Store the next chunk of every boot in one commit; return what it held.

        Nothing is lost when this fails: the lines stay in the spool. Raises StoreErrors.
        """
        batch = _decode(self._read())
        if batch.advances:
            try:
                commit(self._database, batch, now_us=self._now_us())
            except PositionConflictError as error:
                logger.warning("%s; reading the positions again", error)
                self._positions = read_positions(self._database)
                return Collected()
            for advance in batch.advances:
                self._positions[advance.node_id, advance.boot_id] = advance.end
        for boot in boots(self._spool):
            boot.delete_consumed(self._position(boot.node_id, boot.boot_id))
        return Collected(len(batch.records), len(batch.samples), len(batch.rejected))

    def collect_all(self) -> Collected:
        """Store everything that the spool holds now, round after round. Raises StoreErrors."""
        collected = self.collect_round()
        while self._read():
            collected += self.collect_round()
        return collected

    def _position(self, node_id: str, boot_id: str) -> Position:
        return self._positions.get((node_id, boot_id), Position())

    def _read(self) -> list[Chunk]:
        chunks = (
            boot.read(self._position(boot.node_id, boot.boot_id), self._chunk_bytes)
            for boot in boots(self._spool)
        )
        return [chunk for chunk in chunks if chunk is not None]


def _decode(chunks: list[Chunk]) -> Batch:
    batch = Batch()
    for chunk in chunks:
        for offset, raw in chunk.lines:
            try:
                line = decode_line(raw)
                _require_own(line.node_id, line.boot_id, chunk)
            except InvalidLineError as error:
                batch.rejected.append(_rejected(chunk, offset, raw, str(error)))
                continue
            if isinstance(line, UsageRecord):
                batch.records.append(line)
            else:
                batch.samples.append(line)
        if chunk.torn is not None:
            offset, raw = chunk.torn
            batch.rejected.append(_rejected(chunk, offset, raw, "torn: its writer was killed"))
        batch.advances.append(Advance(chunk.node_id, chunk.boot_id, chunk.start, chunk.end))
    return batch


def _require_own(node_id: str, boot_id: str, chunk: Chunk) -> None:
    if (node_id, boot_id) != (chunk.node_id, chunk.boot_id):
        raise InvalidLineError(
            f"node_id/boot_id is {node_id}/{boot_id}; "
            f"accepted in this folder: {chunk.node_id}/{chunk.boot_id}"
        )


def _rejected(chunk: Chunk, offset: int, raw: bytes, reason: str) -> RejectedLine:
    text = raw.decode("utf-8", "backslashreplace")
    return RejectedLine(chunk.node_id, chunk.boot_id, chunk.segment, offset, reason, text)
