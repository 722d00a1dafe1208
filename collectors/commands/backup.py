"""`backup`: a copy of the database, its archive and what people typed in, in its own folder."""

import argparse
from pathlib import Path

from collectors.commands.options import add_database, now_us
from reports.typed_in import TYPED_IN
from store import back_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    parser.add_argument("--out", type=Path, default=Path("data/backup"), metavar="FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Back up and print where; return the exit code. Raises StoreErrors."""
    print(back_up(arguments.database, arguments.out, now_us=now_us(), beside=TYPED_IN))
    return 0
