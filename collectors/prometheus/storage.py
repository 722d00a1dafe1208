"""The database as a source sees it: how far it is stored, what is stored besides, and a commit."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from collectors.prometheus.facts import Facts
from store import (
    Batch,
    BootHealth,
    Checkpoint,
    Writer,
    open_reader,
    read_boots,
    read_checkpoints,
)


class Storage:
    """Stores facts of several sources in the file `database`, which is open for moments only.

    `now_us` tells the time of a commit; `shield` keeps interrupts off while the file is open. All
    methods raise StoreErrors.
    """

    def __init__(
        self,
        database: Path,
        now_us: Callable[[], int],
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._database = database
        self._now_us = now_us
        self._shield = shield
        self._writer = Writer(database)

    def close(self) -> None:
        """Let go of the engine."""
        self._writer.close()

    def position(self, source: str) -> int:
        """Return how far `source` (its name) is stored, 0 where nothing is."""
        with self._shield():
            return read_checkpoints(self._database).get(_checkpoint_name(source), 0)

    def boots(self) -> list[BootHealth]:
        """Return what is known of all runs of all nodes. The database is there."""
        with self._shield(), open_reader(self._database) as connection:
            return read_boots(connection)

    def commit(self, facts: Facts, source: str, start_us: int, end_us: int) -> None:
        """Store `facts`, and with them that `source` is stored from `start_us` to `end_us`.

        Raises PositionConflictError when it is not stored up to `start_us`.
        """
        checkpoint = Checkpoint(_checkpoint_name(source), start_us, end_us)
        with self._shield():
            self._writer.add(
                Batch(samples=facts.samples, minutes=facts.minutes, checkpoints=[checkpoint])
            )
            self._writer.commit(now_us=self._now_us())


def _checkpoint_name(source: str) -> str:
    return f"prometheus:{source}"
