"""Where imported rows go: the database, patiently, or nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from collectors.importing.block import Reached
from collectors.importing.source import Source, parse_source
from store import (
    Batch,
    Checkpoint,
    DatabaseBusyError,
    Writer,
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

# The units of a position, each a source of its own in the database.
_BYTES, _LINES = "#bytes", "#lines"


@dataclass(frozen=True)
class TakenOver:
    """A source that another one continues, and how far it was imported."""

    source: Source
    reached: Reached


class Sink(Protocol):
    """Takes what was read, batch by batch."""

    def store(self, source: Source, batch: Batch, start: Reached, end: Reached) -> None:
        """Store `batch`, which is `source` from `start` to `end`, whole or not at all."""
        ...


class NoStore:
    """Takes everything and stores nothing."""

    def store(self, source: Source, batch: Batch, start: Reached, end: Reached) -> None:
        """Forget `batch`."""


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

    def __enter__(self) -> "ImportStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def positions(self) -> dict[Source, Reached]:
        """Return how far each source was imported. Raises StoreErrors."""
        stored = self._patiently(lambda: read_checkpoints(self._path))
        found = {key: source for key in stored if (source := parse_source(key)) is not None}
        return {
            source: Reached(stored[key], stored.get(key + _BYTES, 0), stored.get(key + _LINES, 0))
            for key, source in found.items()
        }

    def claim(self, source: Source, start: Reached, taken_over: TakenOver | None) -> None:
        """Note that `source` is imported from `start` on; what it continues is complete by that.

        Raises StoreErrors.
        """
        checkpoints = _checkpoints(source, Reached(), start)
        if taken_over is not None:
            key, size = taken_over.source.key + _BYTES, taken_over.source.size
            checkpoints.append(Checkpoint(key, taken_over.reached.offset, size))
        self._commit(Batch(checkpoints=checkpoints))

    def store(self, source: Source, batch: Batch, start: Reached, end: Reached) -> None:
        """Store `batch` and the position. Waits for readers as long as they take.

        Raises PositionConflictError when another process was here, and StoreErrors.
        """
        batch.checkpoints += _checkpoints(source, start, end)
        self._commit(batch)
        self._combinations += _combinations(batch.records)
        if self._combinations > MOST_COMBINATIONS:
            self._combinations = 0
            self._writer.close()
            self._writer = Writer(self._path)

    def _commit(self, batch: Batch) -> None:
        def commit() -> None:
            # A commit that fails forgets what was added.
            self._writer.add(batch)
            self._writer.commit(now_us=self._now_us(), wait_s=self._wait_s)

        self._patiently(commit)

    def _patiently(self, action: Callable[[], Result]) -> Result:
        while True:
            try:
                return action()
            except DatabaseBusyError as error:
                self._busy(f"{error}; trying again")


def _checkpoints(source: Source, start: Reached, end: Reached) -> list[Checkpoint]:
    return [
        Checkpoint(source.key, start.rows, end.rows),
        Checkpoint(source.key + _BYTES, start.offset, end.offset),
        Checkpoint(source.key + _LINES, start.lines, end.lines),
    ]


def _combinations(records: Sequence[UsageRecord]) -> int:
    """Return of how many combinations of dimensions `records` are, or somewhat more."""
    # Rows with equal labels share them, mostly.
    labels = map(id, map(_LABELS, records))
    return len(set(zip(map(_DIMENSIONS, records), labels, strict=True)))
