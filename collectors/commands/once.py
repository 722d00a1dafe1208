"""`once`: store what the spool holds now."""

import argparse

import msgspec

from collectors.commands.options import add_database, add_spool, now_us
from collectors.lock import sole_collector
from collectors.tailer import Tailer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_spool(parser)
    add_database(parser)


def run(arguments: argparse.Namespace) -> int:
    """Store it and print what it was; return the exit code. Raises HeldError and StoreErrors."""
    with sole_collector(arguments.database):
        tailer = Tailer(arguments.spool, arguments.database, now_us)
        try:
            tailer.collect_all()
        finally:
            tailer.close()
    print(msgspec.json.encode(tailer.collected).decode())
    return 0
