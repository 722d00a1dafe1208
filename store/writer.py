"""The one way into the database: a batch of facts, its rollups and its positions in one commit."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from store.batch import Advance, Batch, Checkpoint
from store.database import WAIT_S, attached, memory_engine, open_writer
from store.errors import StoreError
from store.rollup_sql import (
    ADD_COMMIT_MINUTE,
    LAST_STATEMENTS,
    SAMPLE_STATEMENTS,
    STATEMENTS,
)
from store.schema import transaction
from store.staging import Staging
from usage import Chunk, Position

DROP_KNOWN = (
    """
    DELETE FROM memory.staged_usage WHERE record_id IN (
        SELECT record_id FROM usage_record
        WHERE arrived_at_us BETWEEN
            (SELECT min(arrived_at_us) FROM memory.staged_usage)
            AND (SELECT max(arrived_at_us) FROM memory.staged_usage)
    )
    """,
    """
    DELETE FROM memory.staged_sample AS fresh WHERE EXISTS (
        FROM node_sample AS known
        WHERE known.node_id = fresh.node_id
            AND known.boot_id = fresh.boot_id
            AND known.sampled_at_us = fresh.sampled_at_us
    )
    """,
)


class PositionConflictError(StoreError):
    """A source was stored further than this batch assumes; read the positions again."""


@dataclass(frozen=True)
class Committed:
    """What one commit stored."""

    records: int
    samples: int
    rejected: int


class Writer:
    """Commits facts to the file `path`, which is open for the moment of a commit only.

    Facts are added first, which takes the time; `commit` stores them, whole or not at all. They
    are forgotten then, whatever came of it: their source still has them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = memory_engine(path)
        self._staging = Staging(self._engine)
        self._advances: list[Advance] = []
        self._checkpoints: list[Checkpoint] = []
        self._held_us = 0

    def close(self) -> None:
        """Let go of the engine; the writer is of no use after that."""
        self._engine.close()

    def add_chunks(self, chunks: Sequence[Chunk], now_us: int) -> None:
        """Add what `chunks` of the spool hold; `now_us` is the collector's clock."""
        self.add_lines(chunks, now_us)
        self._advances += [
            Advance(chunk.node_id, chunk.boot_id, chunk.start, chunk.end) for chunk in chunks
        ]

    def add_lines(self, chunks: Sequence[Chunk], now_us: int) -> None:
        """Add what `chunks` hold that were read from no spool: no position is kept of them, and
        how old they are says nothing of how the collector fares."""
        self._staging.add_chunks(chunks, now_us)

    def add(self, batch: Batch) -> None:
        """Add the facts of `batch` and the positions reached in their sources."""
        self._staging.add(batch)
        self._advances += batch.advances
        self._checkpoints += batch.checkpoints

    def drop_known(self, *, wait_s: float = WAIT_S) -> None:
        """Drop from what was added the facts that are stored already.

        Positions make that impossible unless they were lost with a database: see store/rebuild.py.
        """
        with attached(self._engine, self._path, wait_s=wait_s, read_only=True):
            for statement in DROP_KNOWN:
                self._engine.execute(statement)

    def forget(self) -> None:
        """Drop what was added and not committed."""
        self._advances, self._checkpoints = [], []
        self._staging.clear()

    def commit(self, *, now_us: int, wait_s: float = WAIT_S) -> Committed:
        """Store what was added; `now_us` is the time of the commit.

        Raises PositionConflictError when some of it is stored already, DatabaseBusyError after
        `wait_s` seconds of waiting for readers, DatabaseUnusableError when the file is not ours.
        """
        try:
            self._staging.close_sums()
            return self._store(now_us, wait_s)
        finally:
            self.forget()

    def _store(self, now_us: int, wait_s: float) -> Committed:
        counts = self._staging.counts()
        rejected = self._staging.rejected
        asked_at = time.monotonic_ns()
        with attached(self._engine, self._path, wait_s=wait_s) as connection:
            opened_at = time.monotonic_ns()
            with transaction(connection):
                for advance in self._advances:
                    _advance(connection, advance)
                for checkpoint in self._checkpoints:
                    _reach(connection, checkpoint)
                samples = SAMPLE_STATEMENTS if counts.samples else ()
                for statement in (*STATEMENTS, *samples, *LAST_STATEMENTS):
                    connection.execute(statement)
                if rejected:
                    connection.register("rejected_rows", self._staging.rejected_rows(now_us))
                    connection.execute("INSERT INTO rejected_line BY NAME FROM rejected_rows")
                    connection.unregister("rejected_rows")
                spooled = counts.first_arrival_us if self._advances else None
                connection.execute(
                    ADD_COMMIT_MINUTE,
                    {
                        "now": now_us,
                        "records": counts.records,
                        "samples": counts.samples,
                        "rejected": len(rejected),
                        "lag": None if spooled is None else now_us - spooled,
                        "waited": (opened_at - asked_at) // 1000,
                        "held": self._held_us,
                    },
                )
                connection.execute(
                    "UPDATE store_state SET commits = commits + 1, committed_at_us = ?", [now_us]
                )
        self._held_us = (time.monotonic_ns() - opened_at) // 1000
        return Committed(counts.records, counts.samples, len(rejected))


def commit(path: Path, batch: Batch, *, now_us: int, wait_s: float = WAIT_S) -> None:
    """Store `batch` whole or not at all, as `Writer.commit` does."""
    with closing(Writer(path)) as writer:
        writer.add(batch)
        writer.commit(now_us=now_us, wait_s=wait_s)


def read_positions(path: Path) -> dict[tuple[str, str], Position]:
    """Return how far each (node_id, boot_id) is stored; the file is created if needed."""
    with open_writer(path) as connection:
        rows = connection.execute("FROM spool_position").fetchall()
    return {(node, boot): Position(segment, offset) for node, boot, segment, offset in rows}


def read_checkpoints(path: Path) -> dict[str, int]:
    """Return how far each source other than a spool is stored; the file is created if needed."""
    with open_writer(path) as connection:
        return dict(connection.execute("FROM source_position").fetchall())


def _advance(connection: duckdb.DuckDBPyConnection, advance: Advance) -> None:
    key = [advance.node_id, advance.boot_id]
    rows = connection.execute(
        "SELECT segment, byte_offset FROM spool_position WHERE node_id = ? AND boot_id = ?", key
    ).fetchall()
    stored = Position(*rows[0]) if rows else Position()
    # A reader that moved on to the next segment starts there, past the end of the last one.
    same = stored == advance.start
    moved_on = advance.start.segment > stored.segment and advance.start.offset == 0
    if not same and not moved_on:
        raise PositionConflictError(
            f"spool {advance.node_id}/{advance.boot_id}: stored up to {stored}, "
            f"this batch begins at {advance.start}"
        )
    end = [advance.end.segment, advance.end.offset]
    if rows:
        connection.execute(
            "UPDATE spool_position SET segment = ?, byte_offset = ? "
            "WHERE node_id = ? AND boot_id = ?",
            [*end, *key],
        )
    else:
        connection.execute("INSERT INTO spool_position VALUES (?, ?, ?, ?)", [*key, *end])


def _reach(connection: duckdb.DuckDBPyConnection, checkpoint: Checkpoint) -> None:
    rows = connection.execute(
        "SELECT position FROM source_position WHERE source = ?", [checkpoint.source]
    ).fetchall()
    stored = rows[0][0] if rows else 0
    if stored != checkpoint.start:
        raise PositionConflictError(
            f"{checkpoint.source}: stored up to {stored}, this batch begins at {checkpoint.start}"
        )
    connection.execute("DELETE FROM source_position WHERE source = ?", [checkpoint.source])
    connection.execute(
        "INSERT INTO source_position VALUES (?, ?)", [checkpoint.source, checkpoint.end]
    )
