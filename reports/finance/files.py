"""The files of a period: the charges, their variant for spreadsheets, and what stands beside them.

Each is written beside its place and renamed when all are done: what is there is whole. The
reconciliation comes last: while its SHA-256 is not that of the charges, they are being replaced.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from decimal import localcontext
from pathlib import Path
from typing import IO

import msgspec

from costs.focus import (
    FileCheck,
    FocusError,
    RowCheck,
    cells,
    csv_bytes,
    formula_safe_cells,
    header_bytes,
    metadata,
    order_of,
)
from reports.file_change import alone_with, sync_folder
from reports.finance.adjustment import adjustment_charges, to_cents
from reports.finance.bill_match import NamedBill, matched
from reports.finance.charge import ZERO, Charges
from reports.finance.merged import merged
from reports.finance.plan import Plan
from reports.finance.query import FinanceError
from reports.finance.reconciliation import FileFacts, Reconciliation, reconcile
from reports.finance.source import ChargeSource
from reports.finance.totals import Totals

GENERATOR, VERSION = "inference-cost", "0.1.0"
# As many rows a spreadsheet has, the header among them.
SPREADSHEET_ROWS = 1_048_576
# Sums of any number of rows are exact.
PRECISION = 60
ROWS_AT_ONCE = 500

Progress = Callable[[int, int], None]
"""(rows so far, beginning of the charge period they have reached in microseconds)."""


@dataclass(frozen=True)
class FinanceFiles:
    """What was written, and how it adds up."""

    paths: Sequence[Path]
    reconciliation: Reconciliation

    @property
    def fits_spreadsheet(self) -> bool:
        """Whether a spreadsheet shows all of it."""
        return self.reconciliation.totals.whole.rows < SPREADSHEET_ROWS


def write_files(
    source: ChargeSource,
    folder: Path,
    *,
    excel: bool = False,
    bill: NamedBill | None = None,
    progress: Progress | None = None,
) -> FinanceFiles:
    """Write the files of `source` into `folder`; the same facts give the same bytes.

    Who writes into the same folder meanwhile waits. Raises FinanceError where the bill is for
    another number of invoices than one, or the folder cannot be written.
    """
    name = source.query.name
    with localcontext(prec=PRECISION), _told(folder), ExitStack() as stack:
        stack.enter_context(alone_with(folder / name))
        plan = source.plan()
        _require_one_invoice(plan, bill, source.query.invoice_id)
        kinds = [("", False), ("-excel", True)] if excel else [("", False)]
        outs = [
            (stack.enter_context(_Out.beside(folder / f"{name}{suffix}.csv")), for_excel)
            for suffix, for_excel in kinds
        ]
        for out, for_excel in outs:
            out.write(header_bytes(excel=for_excel))
        totals = Totals(cells={} if bill else None)
        _write_rows(_all_charges(source, plan, bill), outs, totals, progress)
        charged = sum(plan.billed.values(), ZERO)
        match = None if bill is None else matched(bill, charged, totals.cells or {})
        found = reconcile(source, plan, totals, [out.facts() for out, _ in outs], match)
        created_us = source.facts.completeness.state.committed_at_us
        for suffix, content in (
            ("metadata", metadata(GENERATOR, VERSION, created_us)),
            ("reconciliation", found.as_json()),
        ):
            out = stack.enter_context(_Out.beside(folder / f"{name}-{suffix}.json"))
            out.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
            outs.append((out, False))
        for out, _ in outs:
            out.keep()
        sync_folder(folder)
    return FinanceFiles([out.path for out, _ in outs], found)


def preview(source: ChargeSource, rows: int) -> tuple[list[list[str | None]], Plan]:
    """Return the first rows of the file, as text by column, and what all of it comes to.

    Raises FinanceError where a row would break a rule.
    """
    with localcontext(prec=PRECISION), _broken_rules_told():
        plan = source.plan()
        check = RowCheck()
        found: list[list[str | None]] = []
        for charge in _all_charges(source, plan, None):
            if len(found) == rows:
                break
            check(charge.row)
            found.append(cells(charge.row))
    return found, plan


def _all_charges(source: ChargeSource, plan: Plan, bill: NamedBill | None) -> Charges:
    adjustments = adjustment_charges(
        plan.billed,
        None if bill is None else to_cents(bill.bill.total),
        source.query.period,
        source.providers,
        source.query.invoice_id,
    )
    return merged(source.charges(), sorted(adjustments, key=lambda each: order_of(each.row)))


def _write_rows(
    charges: Charges,
    outs: Sequence[tuple["_Out", bool]],
    totals: Totals,
    progress: Progress | None,
) -> None:
    check_row, check_file = RowCheck(), FileCheck()
    lines: list[list[str | None]] = []
    written = at_us = 0

    def flush() -> None:
        for out, for_excel in outs:
            out.write(csv_bytes(formula_safe_cells(lines) if for_excel else lines))
        lines.clear()
        if progress is not None:
            progress(written, at_us)

    for charge in charges:
        row = charge.row
        check_row(row)
        check_file(row)
        totals.add(charge)
        lines.append(cells(row))
        written += 1
        at_us = row.charge_period_start
        if len(lines) == ROWS_AT_ONCE:
            flush()
    flush()


def _require_one_invoice(plan: Plan, bill: NamedBill | None, invoice_id: str | None) -> None:
    of = bill.name if bill else invoice_id
    if of is None or len(plan.billed) == 1:
        return
    names = ", ".join(f"{each.cloud} {each.month}" for each in sorted(plan.billed)) or "none"
    raise FinanceError(
        f"{of}: a bill is for one month of one cloud, the charges are for {names}; "
        "accepted: a period within a month, and --cloud where there are several"
    )


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        with _broken_rules_told():
            yield
    except OSError as error:
        raise FinanceError(
            f"{error.filename or folder}: {error.strerror}; a folder with room is required"
        ) from error


@contextmanager
def _broken_rules_told() -> Iterator[None]:
    try:
        yield
    except FocusError as error:
        raise FinanceError(f"a row would break a rule of FOCUS: {error}") from error


class _Out:
    """A file under way, beside its place; gone unless it is kept."""

    def __init__(self, path: Path, file: IO[bytes], beside: Path) -> None:
        self.path = path
        self._file = file
        self._beside = beside
        self._digest = hashlib.sha256()
        self._size = 0

    @classmethod
    @contextmanager
    def beside(cls, path: Path) -> Iterator["_Out"]:
        """Open the file beside `path`."""
        beside = path.with_name(f".{path.name}.partial")
        with beside.open("wb") as file:
            try:
                yield cls(path, file, beside)
            finally:
                with suppress(FileNotFoundError):
                    beside.unlink()

    def write(self, raw: bytes) -> None:
        """Append to the file."""
        self._file.write(raw)
        self._digest.update(raw)
        self._size += len(raw)

    def facts(self) -> FileFacts:
        """Return the file as it is now."""
        return FileFacts(self.path.name, self._size, self._digest.hexdigest())

    def keep(self) -> None:
        """Give the file its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._beside.replace(self.path)
