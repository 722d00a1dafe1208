"""The database as a source sees it: how far it is stored, what is stored besides, and a commit."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from collectors.prometheus.facts import Facts
from store import Batch, Checkpoint, Writer, open_reader, read_boots, read_checkpoints


class Boot(NamedTuple):
    """A run of a node of which something is stored, and from when to when."""

    node_id: str
    boot_id: str
    first_us: int
    last_us: int


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
            return read_checkpoints(self._database).get(checkpoint_name(source), 0)

    def boots(self) -> list[Boot]:
        """Return what is known of all runs of all nodes. The database is there."""
        with self._shield(), open_reader(self._database) as connection:
            return [
                Boot(boot.node_id, boot.boot_id, boot.first_fact_us, boot.last_fact_us)
                for boot in read_boots(connection)
                if boot.first_fact_us is not None and boot.last_fact_us is not None
            ]

    def commit(self, facts: Facts, source: str, start_us: int, end_us: int) -> None:
        """Store `facts`, and with them that `source` is stored from `start_us` to `end_us`.

        Raises PositionConflictError when it is not stored up to `start_us`.
        """
        checkpoint = Checkpoint(checkpoint_name(source), start_us, end_us)
        with self._shield():
            self._writer.add(
                Batch(samples=facts.samples, minutes=facts.minutes, checkpoints=[checkpoint])
            )
            self._writer.commit(now_us=self._now_us())


def checkpoint_name(source: str) -> str:
    """Return the name under which the position of `source` is stored."""
    return f"prometheus:{source}"
