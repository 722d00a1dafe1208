"""Options that several commands have."""

import argparse
import time
from pathlib import Path

from store import Retention, load_retention

RETENTION = Path("data/retention.toml")


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the database."""
    parser.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))


def add_spool(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the spool."""
    parser.add_argument("--spool", type=Path, default=Path("data/spool"))


def add_retention(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a retention file."""
    parser.add_argument(
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


def now_us() -> int:
    """Return the time of the system's clock in microseconds, UTC."""
    return time.time_ns() // 1000
