"""`restore`: put a backup back where there is no database."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from collectors.commands.options import add_database
from collectors.lock import sole_collector
from store import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    parser.add_argument("backup", type=Path, help="the folder that backup made")


def run(arguments: argparse.Namespace) -> int:
    """Restore; return the exit code. Raises HeldError and StoreErrors."""
    with sole_collector(arguments.database):
        manifest = restore(arguments.backup, arguments.database)
    moment = datetime.fromtimestamp(manifest.made_at_us // 1_000_000, UTC)
    print(f"{arguments.database}: as it was at {moment.isoformat()}, commit {manifest.commits}")
    return 0
