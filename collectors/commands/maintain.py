"""`maintain`: archive, merge, fold and delete as retention asks, now."""

import argparse

import msgspec

from collectors.commands.options import add_database, add_retention, now_us, retention_of
from collectors.lock import sole_collector
from store import maintain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    add_retention(parser)


def run(arguments: argparse.Namespace) -> int:
    """Maintain the database once; return the exit code. Raises HeldError and StoreErrors."""
    retention = retention_of(arguments)
    with sole_collector(arguments.database):
        done = maintain(arguments.database, retention, now_us=now_us())
    print(msgspec.json.encode(done).decode())
    return 0
