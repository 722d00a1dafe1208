"""One process per imported content and database, and one at a time that finds out what is new."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from collectors.importing.errors import SourceBusyError
from collectors.importing.source import Source

# Bytes of the lock file: the first for finding out, of the others one for each content.
_FINDING: Final = 0

PAUSE_S: Final = 0.05


class SourceLocks:
    """Locks of imports into `database`; the kernel lets go of them however this process ends.

    They are locks on bytes of one file beside the database, so that there is one file however much
    is imported.
    """

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        path = database.with_name(database.name + ".import.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def close(self) -> None:
        """Let go of it; nothing can be asked after that."""
        os.close(self._descriptor)

    @contextmanager
    def finding(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Wait until no other process finds out what is new, and keep others waiting.

        `waiting` is called again and again meanwhile; what it raises ends the waiting.
        """
        while not self._locked(_FINDING):
            waiting()
            time.sleep(PAUSE_S)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _FINDING)

    def hold(self, source: Source, path: Path) -> None:
        """Hold `source`, which is in the file `path`. Raises SourceBusyError."""
        if not self._locked(_byte_of(source)):
            raise SourceBusyError(
                f"{path}: another process is importing the same content; nothing is done here"
            )

    def release(self, source: Source) -> None:
        """Let go of `source`; at the end all are."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _byte_of(source))

    def _locked(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True


def _byte_of(source: Source) -> int:
    return 1 + int(source.digest[:15], 16)
