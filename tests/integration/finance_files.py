"""Finance files for tests: written from a database, read back with nothing but a CSV reader."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs import PriceBook
from reports.finance import (
    FinanceFiles,
    FinanceQuery,
    NamedBill,
    charge_source,
    write_files,
)
from store import HOUR_US

Line = dict[str, str]
UNIT_US = HOUR_US // 10**6


def day_of(at_us: int) -> date:
    """Return the UTC day of an instant."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).date()


def days(first: date, count: int = 1, **choices: Any) -> FinanceQuery:
    """Return a query of `count` days."""
    return FinanceQuery(first, first + timedelta(count), **choices)


@dataclass(frozen=True)
class Written:
    """Files and their content."""

    files: FinanceFiles
    path: Path
    lines: list[Line]
    reconciliation: dict[str, Any]

    def of(self, **values: str) -> list[Line]:
        """Return the lines that have all of `values`."""
        return [line for line in self.lines if all(line[name] == v for name, v in values.items())]


def write(
    database: Path,
    query: FinanceQuery,
    prices: PriceBook,
    out: Path,
    *,
    excel: bool = False,
    bill: NamedBill | None = None,
) -> Written:
    """Write the files of `query` into `out` and read them back."""
    with charge_source(database, prices, {}, query) as source:
        files = write_files(source, out, excel=excel, bill=bill)
    path = out / f"{query.name}.csv"
    with path.open(encoding="utf-8", newline="") as text:
        lines = list(csv.DictReader(text, strict=True))
    found = json.loads((out / f"{query.name}-reconciliation.json").read_text())
    return Written(files, path, lines, found)


def usd(lines: Iterable[Line], column: str = "EffectiveCost") -> Decimal:
    """Return the sum of a column."""
    return sum((Decimal(line[column]) for line in lines), Decimal(0))


def by(lines: Iterable[Line], *columns: str) -> dict[tuple[str, ...], list[Line]]:
    """Return `lines` by the values of `columns`."""
    found: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        found[tuple(line[column] for column in columns)].append(line)
    return found
