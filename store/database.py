"""Opening the database file for as short as possible: one process writes, or many read.

DuckDB locks the file for as long as a process has it open. So both sides open, do their work and
close, and retry with jittered back-off while the other side has it.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb

from store.archive_views import moved, point_views
from store.errors import DatabaseBusyError, DatabaseMissingError, DatabaseUnusableError
from store.migrations import MIGRATIONS
from store.schema import migrate, require_known_version, transaction

# DuckDB 2.0.0 narrows a sorted sum of HUGEINT to the range of its summands and then fails on the
# sum; the optimiser that does so is left out (docs/decisions/0002-duckdb.md).
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "disabled_optimizers": "compressed_materialization"
}

# What a wrong query or a wrong value of ours raises. Any other error of DuckDB's while a file is
# open means that the file or its disk is damaged, a checksum that does not match for one.
DEFECTS = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
)

# The name of the file in an engine that has attached it.
ATTACHED = "usage_file"

# A commit of more rows than this writes them compressed, past the log of changes.
ROW_GROUP_ROWS = 32_768

WAIT_S = 10.0
FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1

TO_RECOVER = (
    "restore a backup, or make it anew from archive and spool: "
    "python -m collectors rebuild --from-archive"
)

Reader = duckdb.DuckDBPyConnection
"""A database open for reading: what the queries of this package ask."""

Opened = TypeVar("Opened")


@contextmanager
def open_writer(path: Path, *, wait_s: float = WAIT_S) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open `path` for writing, create or migrate it where needed, and close it at the end.

    Raises DatabaseBusyError after `wait_s` seconds of waiting for readers, DatabaseUnusableError
    when the file is not ours to write.
    """
    engine = memory_engine(path)
    try:
        with attached(engine, path, wait_s=wait_s) as connection:
            yield connection
    finally:
        engine.close()


def memory_engine(path: Path) -> duckdb.DuckDBPyConnection:
    """Return an engine in memory for work on the database `path`, beside which it spills over."""
    spill = {"temp_directory": f"{path.resolve()}.tmp"}
    return duckdb.connect(":memory:", config={**CONFIG, **spill})


@contextmanager
def attached(
    engine: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    wait_s: float = WAIT_S,
    read_only: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Make the file `path` the current database of `engine`, as `open_writer` opens it.

    Raises what `open_writer` raises. What is in the engine's memory is at hand meanwhile. With
    `read_only`, which is for a file that a writer has opened before, others may read, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    quoted = str(path).replace("'", "''")
    mode = "READ_ONLY" if read_only else f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
    _when_unlocked(
        path, wait_s, lambda: engine.execute(f"ATTACH '{quoted}' AS {ATTACHED} ({mode})")
    )
    try:
        with _damage_named(path):
            engine.execute(f"USE {ATTACHED}")
            if not read_only:
                migrate(engine, path)
                if moved(engine, path):
                    with transaction(engine):
                        point_views(engine, path)
            yield engine
    finally:
        engine.execute("USE memory")
        engine.execute(f"DETACH {ATTACHED}")


@contextmanager
def open_reader(path: Path, *, wait_s: float = WAIT_S) -> Iterator[Reader]:
    """Open `path` for reading and close it at the end.

    Raises DatabaseMissingError when there is no file, DatabaseBusyError after `wait_s` seconds of
    waiting for the writer, DatabaseUnusableError when the file cannot be read.
    """
    if not path.exists():
        raise DatabaseMissingError(f"{path}: no database yet")
    connection = _when_unlocked(
        path, wait_s, lambda: duckdb.connect(str(path), read_only=True, config=CONFIG)
    )
    try:
        with _damage_named(path):
            version = require_known_version(connection, path)
        if version == 0:
            raise DatabaseMissingError(f"{path}: the database is being created")
        if version < len(MIGRATIONS):
            raise DatabaseUnusableError(
                f"{path}: written by an older version; start the collector once to upgrade it"
            )
        with _damage_named(path):
            if moved(connection, path):
                point_views(connection, path, temporary=True)
            yield connection
    finally:
        connection.close()


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except DEFECTS:
        raise
    except duckdb.Error as error:
        raise DatabaseUnusableError(
            f"{path}: damaged, or a file of its archive is: {_first_line(error)}; {TO_RECOVER}"
        ) from error


def _when_unlocked(path: Path, wait_s: float, open_file: Callable[[], Opened]) -> Opened:
    """Return what `open_file` returns, asked again and again while another process has the lock."""
    give_up_at = time.monotonic() + wait_s
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return open_file()
        except duckdb.IOException as error:
            if "lock" not in str(error):
                no_database = "not a valid" in str(error)
                advice = f"; {TO_RECOVER}" if no_database else ""
                raise DatabaseUnusableError(f"{path}: {_first_line(error)}{advice}") from error
            if time.monotonic() >= give_up_at:
                raise DatabaseBusyError(
                    f"{path}: still locked by another process after {wait_s:g} s"
                ) from error
        except duckdb.Error as error:
            raise DatabaseUnusableError(f"{path}: {_first_line(error)}; {TO_RECOVER}") from error
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
