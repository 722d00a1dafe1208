"""`backup`: a copy of the database and its archive in a folder of its own."""

import argparse
from pathlib import Path

from collectors.commands.options import add_database, now_us
from store import back_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    parser.add_argument("--out", type=Path, default=Path("data/backup"), metavar="FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Back up and print where; return the exit code. Raises StoreErrors."""
    print(back_up(arguments.database, arguments.out, now_us=now_us()))
    return 0
