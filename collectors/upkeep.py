"""`maintain`, `check`, `rebuild`, `backup` and `restore`: looking after a database at rest."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from collectors.lock import CollectorRunningError, sole_collector
from collectors.tailer import Tailer
from costs import Catalogue, Machine, PriceMissingError
from reports import ReportError, load_catalogue
from store import (
    Retention,
    StoreError,
    back_up,
    check_database,
    check_prices,
    fold_before_us,
    load_retention,
    maintain,
    open_reader,
    rebuild_database,
    rebuild_rollups,
    restore,
)

Command = Callable[[argparse.Namespace], int]

HOLDS, NOT_SO = "ok  ", "FAIL"
# Of DuckDB's log of changes, beside the database it belongs to.
LOG = ".wal"
RETENTION = Path("data/retention.toml")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the five commands."""
    for name, text, run in (
        ("maintain", "archive, merge, fold and delete as retention asks, now", _maintain),
        ("check", "say whether raw facts, rollups, archive and prices agree", _check),
        ("rebuild", "make the rollups anew from raw facts", _rebuild),
        ("backup", "copy the database and its archive", _back_up),
        ("restore", "put a backup back", _restore),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))
        command.set_defaults(run=_told(run))
        if name in ("maintain", "rebuild"):
            add_retention(command)
        if name == "check":
            command.add_argument("--prices", type=Path, default=Path("data/prices"))
        if name == "rebuild":
            command.add_argument(
                "--from-archive",
                action="store_true",
                help="make the whole database anew, from its archive and the spool",
            )
            command.add_argument("--spool", type=Path, default=Path("data/spool"))
        if name == "backup":
            command.add_argument("--out", type=Path, default=Path("data/backup"), metavar="FOLDER")
        if name == "restore":
            command.add_argument("backup", type=Path, help="the folder that backup made")


def add_retention(command: argparse.ArgumentParser) -> None:
    """Add the option that names a retention file."""
    command.add_argument(
        "--retention",
        type=Path,
        default=RETENTION,
        metavar="FILE",
        help="how long to keep what (%(default)s)",
    )


def retention_of(arguments: argparse.Namespace) -> Retention:
    """Return the retention that the command line names. Raises RetentionError."""
    path: Path = arguments.retention
    if path == RETENTION and not path.exists():
        return Retention()
    return load_retention(path)


def _told(command: Command) -> Command:
    """Return `command` with what can go wrong told in a line, and exit code 1."""

    def run(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except (CollectorRunningError, ReportError, StoreError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130

    return run


def _maintain(arguments: argparse.Namespace) -> int:
    retention = retention_of(arguments)
    with sole_collector(arguments.database):
        done = maintain(arguments.database, retention, now_us=_now_us())
    print(msgspec.json.encode(done).decode())
    return 0


def _check(arguments: argparse.Namespace) -> int:
    catalogue = load_catalogue(arguments.prices)
    wrong = 0
    with open_reader(arguments.database) as connection:
        for finding in check_database(connection, arguments.database):
            wrong += not finding.holds
            print(f"{HOLDS if finding.holds else NOT_SO} {finding.check}: {finding.text}")
        finding = check_prices(connection, lambda machine, at: _is_priced(catalogue, machine, at))
        wrong += not finding.holds
        print(f"{HOLDS if finding.holds else NOT_SO} {finding.check}: {finding.text}")
    return 1 if wrong else 0


def _rebuild(arguments: argparse.Namespace) -> int:
    database: Path = arguments.database
    fold_before = fold_before_us(retention_of(arguments), _now_us())
    with sole_collector(database):
        if not arguments.from_archive:
            records = rebuild_rollups(database, fold_before, progress=_progress)
            print(f"{database}: rollups made anew from {records} records")
            return 0
        _set_aside(database)
        records = rebuild_database(database, fold_before, now_us=_now_us(), progress=_progress)
        print(f"{database}: made anew from {records} archived records")
        tailer = Tailer(arguments.spool, database, _now_us, recovering=True)
        tailer.collect_all()
        tailer.close()
        print(f"{arguments.spool}: {tailer.collected.records} records more")
    print("python -m collectors check tells what was in the old file alone: gaps in the sequence")
    return 0


def _back_up(arguments: argparse.Namespace) -> int:
    print(back_up(arguments.database, arguments.out, now_us=_now_us()))
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    with sole_collector(arguments.database):
        manifest = restore(arguments.backup, arguments.database)
    moment = datetime.fromtimestamp(manifest.made_at_us // 1_000_000, UTC)
    print(f"{arguments.database}: as it was at {moment.isoformat()}, commit {manifest.commits}")
    return 0


def _set_aside(database: Path) -> None:
    """Move a database that is to be made anew out of the way; nothing is deleted."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for path in (database, database.with_name(database.name + LOG)):
        if path.exists():
            aside = path.with_name(f"{path.name}.set-aside-{moment}")
            path.rename(aside)
            print(f"{path}: moved to {aside}")


def _is_priced(catalogue: Catalogue, machine: Machine, at_us: int) -> bool:
    try:
        catalogue.at(machine, at_us)
    except PriceMissingError:
        return False
    return True


def _progress(text: str) -> None:
    print(text, file=sys.stderr)


def _now_us() -> int:
    return time.time_ns() // 1000
