"""Options that commands have in common."""

import argparse
from pathlib import Path


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
