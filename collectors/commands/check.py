"""`check`: whether raw facts, rollups, archive, sequence and prices agree; its exit code tells."""

import argparse
from pathlib import Path

from collectors.commands.options import add_database
from costs import Catalogue, Machine, PriceMissingError
from reports import load_catalogue
from store import Finding, check_database, check_prices, open_reader

HOLDS, NOT_SO = "ok  ", "FAIL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    parser.add_argument("--prices", type=Path, default=Path("data/prices"))


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; return 0 when all hold, 1 when one does not.

    Raises StoreErrors and ReportErrors.
    """
    catalogue = load_catalogue(arguments.prices)
    all_hold = True
    with open_reader(arguments.database) as connection:
        for finding in check_database(connection, arguments.database):
            all_hold &= _told(finding)
        all_hold &= _told(
            check_prices(connection, lambda machine, at: _is_priced(catalogue, machine, at))
        )
    return 0 if all_hold else 1


def _told(finding: Finding) -> bool:
    print(f"{HOLDS if finding.holds else NOT_SO} {finding.check}: {finding.text}")
    return finding.holds


def _is_priced(catalogue: Catalogue, machine: Machine, at_us: int) -> bool:
    try:
        catalogue.at(machine, at_us)
    except PriceMissingError:
        return False
    return True
