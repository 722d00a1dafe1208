"""Options that commands have in common."""

import argparse
from pathlib import Path

from store import Filter


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add --database."""
    parser.add_argument(
        "--database", type=Path, default=Path("data/usage.duckdb"), help="default: %(default)s"
    )


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add --prices."""
    parser.add_argument(
        "--prices",
        type=Path,
        default=Path("data/prices"),
        help="folder of price files, default: %(default)s",
    )


def add_simulated(parser: argparse.ArgumentParser) -> None:
    """Add --without-simulated."""
    parser.add_argument(
        "--without-simulated", action="store_true", help="leave made-up history out"
    )


def chosen(arguments: argparse.Namespace) -> Filter:
    """Return what `add_simulated` lets choose."""
    return Filter(simulated=("no",) if arguments.without_simulated else ())
