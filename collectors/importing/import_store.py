"""The database as the import uses it: it waits for readers patiently, and positions are in it."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from collectors.importing.block import Reached
from collectors.importing.source import BEGINNING, Position, Source, parse_source
from store import (
    Batch,
    BootHealth,
    Checkpoint,
    DatabaseBusyError,
    Writer,
    open_reader,
    read_boots,
    read_checkpoints,
)
from usage import UsageRecord

Result = TypeVar("Result")

# For readers, before it is told that they are waited for.
WAIT_S = 10.0
# The engine of a writer remembers every combination of dimensions; a fresh one remembers none.
MOST_COMBINATIONS = 200_000

_DIMENSIONS = attrgetter(
    "origin", "model", "model_version", "variant", "tenant", "priority", "pool", "cache", "status",
    "error", "route",
)  # fmt: skip
_LABELS = attrgetter("labels")

# The numbers of a position, each a source of its own in the database; rows have the plain key. What
# is unnumbered are rows that seq does not count; where that is not noted, it counts them all.
_BYTES, _LINES, _UNNUMBERED = "#bytes", "#lines", "#unnumbered"


class ImportStore:
    """The database file `path`. `now_us` tells the time of a commit.

    Readers are waited for as long as they take; every `wait_s` seconds of it `busy` is told.
    """

    def __init__(
        self,
        path: Path,
        now_us: Callable[[], int],
        busy: Callable[[str], None],
        *,
        wait_s: float = WAIT_S,
    ) -> None:
        self._path = path
        self._now_us = now_us
        self._busy = busy
        self._wait_s = wait_s
        self._writer = Writer(path)
        self._combinations = 0

    def close(self) -> None:
        """Let go of it; nothing can be asked after that."""
        self._writer.close()

    def positions(self) -> dict[Source, Position]:
        """Return how far each source was imported. Raises StoreErrors."""
        stored = self._patiently(lambda: read_checkpoints(self._path))
        found = {key: source for key in stored if (source := parse_source(key)) is not None}
        return {source: _position(stored, key) for key, source in found.items()}

    def claim(self, source: Source, start: Position, continued: Source | None) -> None:
        """Note that `source` is imported from `start` on, which is how far the source was imported
        that it continues: that one is complete now.

        Raises StoreErrors.
        """
        checkpoints = _checkpoints(source, BEGINNING, start)
        if continued is not None:
            key, reached = continued.key + _BYTES, start.reached
            checkpoints.append(Checkpoint(key, reached.offset, continued.size))
        self._commit(Batch(checkpoints=checkpoints))

    def is_ahead(self, source: Source, position: Position) -> bool:
        """Tell whether records of `source` behind `position` are stored. Raises StoreErrors."""
        boots = self._patiently(self._boots)
        return any(
            boot.boot_id == source.boot_id and (boot.seq_max or 0) > position.seq for boot in boots
        )

    def store(
        self,
        source: Source,
        batch: Batch,
        start: Position,
        end: Position,
        *,
        drop_known: bool = False,
    ) -> None:
        """Store `batch`, which is `source` from `start` to `end`, whole or not at all.

        With `drop_known` records that are stored already are left out. Waits for readers as long
        as they take. Raises PositionConflictError when another process was here, and StoreErrors.
        """
        batch.checkpoints += _checkpoints(source, start, end)
        self._commit(batch, drop_known=drop_known)
        self._combinations += _combinations(batch.records)
        if self._combinations > MOST_COMBINATIONS:
            self._combinations = 0
            self._writer.close()
            self._writer = Writer(self._path)

    def _commit(self, batch: Batch, *, drop_known: bool = False) -> None:
        def commit() -> None:
            # Of a try that failed, something may be left.
            self._writer.forget()
            self._writer.add(batch)
            if drop_known:
                self._writer.drop_known(wait_s=self._wait_s)
            self._writer.commit(now_us=self._now_us(), wait_s=self._wait_s)

        self._patiently(commit)

    def _boots(self) -> list[BootHealth]:
        with open_reader(self._path, wait_s=self._wait_s) as connection:
            return read_boots(connection)

    def _patiently(self, action: Callable[[], Result]) -> Result:
        while True:
            try:
                return action()
            except DatabaseBusyError as error:
                self._busy(f"{error}; trying again")


def _position(stored: Mapping[str, int], key: str) -> Position:
    rows = stored[key]
    reached = Reached(rows, stored.get(key + _BYTES, 0), stored.get(key + _LINES, 0))
    return Position(reached, rows - stored.get(key + _UNNUMBERED, 0))


def _checkpoints(source: Source, start: Position, end: Position) -> list[Checkpoint]:
    before, after, key = start.reached, end.reached, source.key
    return [
        Checkpoint(key, before.rows, after.rows),
        Checkpoint(key + _BYTES, before.offset, after.offset),
        Checkpoint(key + _LINES, before.lines, after.lines),
        Checkpoint(key + _UNNUMBERED, before.rows - start.seq, after.rows - end.seq),
    ]


def _combinations(records: Sequence[UsageRecord]) -> int:
    """Return of how many combinations of dimensions `records` are, or somewhat more."""
    # Rows with equal labels share them, mostly.
    labels = map(id, map(_LABELS, records))
    return len(set(zip(map(_DIMENSIONS, records), labels, strict=True)))
