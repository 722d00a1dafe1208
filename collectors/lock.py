"""One collector per database: a lock file beside it that says who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CollectorRunningError(Exception):
    """Another collector writes this database; the message names its process."""


@contextmanager
def sole_collector(database: Path) -> Iterator[None]:
    """Hold the right to write `database`; the kernel gives it back however this process ends.

    Raises CollectorRunningError when another process holds it.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    path = database.with_name(database.name + ".collector.lock")
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise CollectorRunningError(
                f"{database}: another collector writes it already (process {holder})"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
