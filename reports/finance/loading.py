"""Files that a finance file depends on: who charges (`finance.toml`), and the provider's bill."""

import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from costs.focus import FocusError
from costs.focus.provider import Provider, parse_providers
from costs.invoice import InvoiceError, parse_total
from costs.invoice_file import read_bill
from reports.finance.bill_match import NamedBill
from reports.finance.query import FinanceError, FinanceQuery

PROVIDERS = "finance.toml"


def load_providers(folder: Path) -> Mapping[str, Provider]:
    """Return the providers that `finance.toml` in `folder` declares, by cloud; none without it.

    Raises FinanceError when the file is wrong.
    """
    path = folder / PROVIDERS
    try:
        return parse_providers(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, FocusError) as error:
        raise FinanceError(_said(error, path)) from error


def load_bill(total_or_file: str, query: FinanceQuery) -> NamedBill:
    """Return the bill that a total or the name of a file says. Raises FinanceError."""
    path = Path(total_or_file)
    try:
        total = parse_total(total_or_file)
        if total is not None:
            return NamedBill.of_total(total)
        with _opened(path) as lines:
            days = str(query.from_day), str(query.to_day)
            return NamedBill(path.name, read_bill(lines, str(path), *days))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, InvoiceError) as error:
        raise FinanceError(_said(error, path)) from error


def read_total(text: str) -> NamedBill:
    """Return the bill of which only the total is known. Raises FinanceError."""
    try:
        total = parse_total(text)
    except InvoiceError as error:
        raise FinanceError(str(error)) from error
    if total is None:
        raise FinanceError(f"the invoice total is {text!r}; accepted: USD, such as 1234.56")
    return NamedBill.of_total(total)


def read_uploaded_bill(raw: bytes, name: str, query: FinanceQuery) -> NamedBill:
    """Return the bill in the content of a CSV file called `name`. Raises FinanceError."""
    try:
        lines = io.StringIO(raw.decode("utf-8"), newline="")
        return NamedBill(name, read_bill(lines, name, str(query.from_day), str(query.to_day)))
    except (UnicodeDecodeError, InvoiceError) as error:
        raise FinanceError(_said(error, Path(name))) from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        # As AWS delivers its reports.
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _said(error: Exception, path: Path) -> str:
    if isinstance(error, OSError | EOFError | zlib.error):
        return f"{path}: {getattr(error, 'strerror', None) or error}"
    if isinstance(error, UnicodeDecodeError):
        return f"{path}: not UTF-8 at byte {error.start}"
    return str(error)
