"""One process for one job: a lock file that says who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path


class HeldError(Exception):
    """Another process does this job already; the message names it."""


@contextmanager
def sole_holder(path: Path, job: str) -> Iterator[None]:
    """Hold the lock file `path`; the kernel gives it back however this process ends.

    `job` says in a message what another process does: "data/usage.duckdb: another collector writes
    it". Raises HeldError when another process holds it, and OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise HeldError(f"{job} already (process {holder})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def sole_collector(database: Path) -> AbstractContextManager[None]:
    """Hold the right to be the collector of `database`, as `sole_holder` does."""
    path = database.with_name(database.name + ".collector.lock")
    return sole_holder(path, f"{database}: another collector writes it")


def sole_on_spool(spool: Path, role: str) -> AbstractContextManager[None]:
    """Hold `role` ("receiver", "forwarder") on `spool`, as `sole_holder` does."""
    # Hidden, so that nobody takes it for a node.
    return sole_holder(spool / f".{role}.lock", f"{spool}: another {role} works on it")
