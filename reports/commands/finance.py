"""`finance`: the charges of a period as FOCUS 1.2, with a reconciliation and metadata beside it."""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

import msgspec

from reports.commands.options import add_database, add_prices
from reports.finance import (
    FinanceFiles,
    FinanceQuery,
    Grain,
    IdleRule,
    charge_source,
    load_bill,
    load_providers,
    write_files,
)
from reports.finance.files import SPREADSHEET_ROWS
from reports.finance.query import FinanceError
from reports.price_book import load_price_book
from store import DatabaseMissingError

TOLD_EVERY_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    add_prices(parser)
    parser.add_argument(
        "--from", type=_day, required=True, dest="from_day", metavar="DAY", help="as 2026-11-01"
    )
    parser.add_argument(
        "--to", type=_day, required=True, dest="to_day", metavar="DAY", help="not part of it"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the files"
    )
    parser.add_argument("--grain", type=Grain, choices=list(Grain), default=Grain.HOUR)
    parser.add_argument(
        "--idle",
        type=_idle,
        default=IdleRule(),
        metavar="RULE",
        help="who bears idle time: separate (default), proportional, even, or owner:NAME",
    )
    parser.add_argument("--cloud", help="only the charges of one cloud, such as aws")
    parser.add_argument("--excel", action="store_true", help="also a variant for spreadsheets")
    parser.add_argument(
        "--invoice",
        metavar="TOTAL|FILE",
        help="the provider's bill: USD, or a CSV (FOCUS, AWS Cost and Usage Report)",
    )
    parser.add_argument("--invoice-id", metavar="ID", help="the id of that invoice")
    parser.add_argument(
        "--leave-out-unpriced",
        action="store_true",
        help="leave out machines without a price instead of refusing",
    )
    parser.add_argument(
        "--with-simulated",
        action="store_true",
        help="also what was made up: never for the books",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print what they are; return the exit code.

    Raises ReportErrors and StoreErrors.
    """
    query = FinanceQuery(
        arguments.from_day,
        arguments.to_day,
        arguments.grain,
        arguments.idle,
        cloud=arguments.cloud,
        simulated=arguments.with_simulated,
        leave_out_unpriced=arguments.leave_out_unpriced,
        invoice_id=arguments.invoice_id,
    )
    bill = None if arguments.invoice is None else load_bill(arguments.invoice, query)
    book, providers = load_price_book(arguments.prices), load_providers(arguments.prices)
    told = _Progress()
    try:
        with charge_source(arguments.database, book, providers, query) as source:
            found = write_files(
                source, arguments.out, excel=arguments.excel, bill=bill, progress=told
            )
    except DatabaseMissingError as error:
        print(f"{error}; start a collector first", file=sys.stderr)
        return 1
    finally:
        told.end()
    for problem in found.reconciliation.problems:
        print(f"not whole: {problem}", file=sys.stderr)
    if arguments.excel and not found.fits_spreadsheet:
        print(
            f"a spreadsheet shows the first {SPREADSHEET_ROWS:,} rows of the variant for it; "
            "--grain day has fewer",
            file=sys.stderr,
        )
    print(msgspec.json.encode(_summary(found)).decode())
    return 0


def _summary(found: FinanceFiles) -> dict[str, object]:
    whole = found.reconciliation.as_json()
    return {
        "files": [str(path) for path in found.paths],
        "rows": whole["rows"],
        "totals": whole["totals"],
        "whole": not found.reconciliation.problems,
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; accepted: as 2026-11-01") from None


def _idle(text: str) -> IdleRule:
    try:
        return IdleRule.parse(text)
    except FinanceError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _Progress:
    """Says on stderr how far it is: on one line of a terminal, every two seconds."""

    def __init__(self) -> None:
        self._begun = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._open = False

    def __call__(self, rows: int, at_us: int) -> None:
        now = time.monotonic()
        if now - self._told < TOLD_EVERY_S:
            return
        self._told = now
        per_s = rows / (now - self._begun)
        reached = time.strftime("%Y-%m-%d %H:%M", time.gmtime(at_us // 1_000_000))
        words = f"{rows:,} rows, up to {reached}, {per_s:,.0f} rows/s"
        print(f"\r{words}" if self._terminal else words, end="" if self._terminal else "\n",
              file=sys.stderr, flush=True)  # fmt: skip
        self._open = self._terminal

    def end(self) -> None:
        """End the line."""
        if self._open:
            print(file=sys.stderr)
