"""`rebuild`: the rollups anew from raw facts, or the whole database from archive and spool."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from collectors.commands.options import (
    add_database,
    add_retention,
    add_spool,
    now_us,
    retention_of,
)
from collectors.lock import sole_collector
from collectors.tailer import Tailer
from store import fold_before_us, rebuild_database, rebuild_rollups

# Of DuckDB's log of changes, beside the database it belongs to.
LOG = ".wal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    add_spool(parser)
    add_retention(parser)
    parser.add_argument(
        "--from-archive",
        action="store_true",
        help="make the whole database anew, from its archive and the spool",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rebuild; return the exit code. Raises HeldError and StoreErrors."""
    fold_before = fold_before_us(retention_of(arguments), now_us())
    with sole_collector(arguments.database):
        if arguments.from_archive:
            _from_archive(arguments.database, arguments.spool, fold_before)
        else:
            records = rebuild_rollups(arguments.database, fold_before, progress=_progress)
            print(f"{arguments.database}: rollups made anew from {records} records")
    return 0


def _from_archive(database: Path, spool: Path, fold_before: int) -> None:
    moved = _set_aside(database)
    try:
        records = rebuild_database(database, fold_before, now_us=now_us(), progress=_progress)
    except BaseException:
        for path, aside in moved:
            aside.rename(path)
        raise
    for path, aside in moved:
        print(f"{path}: moved to {aside}")
    print(f"{database}: made anew from {records} archived records")
    tailer = Tailer(spool, database, now_us, recovering=True)
    try:
        tailer.collect_all()
    finally:
        tailer.close()
    print(f"{spool}: {tailer.collected.records} records more")
    print("`check` tells by gaps in the sequence what was in the old file alone")


def _set_aside(database: Path) -> list[tuple[Path, Path]]:
    """Move a database that is to be made anew out of the way; nothing is deleted."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    moved = []
    for path in (database, database.with_name(database.name + LOG)):
        if path.exists():
            aside = path.with_name(f"{path.name}.set-aside-{moment}")
            path.rename(aside)
            moved.append((path, aside))
    return moved


def _progress(text: str) -> None:
    print(text, file=sys.stderr)
