"""The fleet of usage_truth in a database, and its finance file of a day; made once in a process."""

from functools import cache
from pathlib import Path

import pytest

from store import commit
from tests.fixtures_usage import MONDAY_US
from tests.integration.finance_files import Line, Written, day_of, days, write
from tests.integration.fleet_prices import fleet_book
from tests.integration.usage_truth import PERIOD, fleet_facts

MONDAY = day_of(MONDAY_US)


def fleet_database(factory: pytest.TempPathFactory) -> Path:
    """Return a database of all facts of the fleet, for reading only."""
    return _database(factory.getbasetemp() / "fleet.duckdb")


def fleet_files(factory: pytest.TempPathFactory) -> Written:
    """Return the files of the day of the fleet, for reading only."""
    return _files(fleet_database(factory), factory.getbasetemp() / "fleet")


def machine_lines(written: Written) -> list[Line]:
    """Return the lines of machine time."""
    return written.of(ServiceCategory="Compute")


@cache
def _database(path: Path) -> Path:
    commit(path, fleet_facts(), now_us=PERIOD.to_us)
    return path


@cache
def _files(database: Path, out: Path) -> Written:
    return write(database, days(MONDAY), fleet_book(), out, excel=True)
