"""Rows as the bytes of a finance file (RFC 4180), and as those of its variant for spreadsheets."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from costs.focus.columns import COLUMNS, HEADER, Kind
from costs.focus.row import Row
from costs.focus.text import decimal_text, formula_safe, instant_text

# What Excel recognises UTF-8 by.
BOM = b"\xef\xbb\xbf"
_Cell = Callable[[Any], str]


def _boolean(value: bool) -> str:
    return "true" if value else "false"


_CELLS: dict[Kind, _Cell | None] = {
    Kind.DECIMAL: decimal_text,
    Kind.TEXT: None,
    Kind.INSTANT: instant_text,
    Kind.JSON: None,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: str,
}
_DECIMALS = [n for n, column in enumerate(COLUMNS) if column.kind is Kind.DECIMAL]
_OTHERS: list[tuple[int, _Cell]] = [
    (n, cell)
    for n, column in enumerate(COLUMNS)
    if column.kind is not Kind.DECIMAL and (cell := _CELLS[column.kind]) is not None
]
_JSONS = [n for n, column in enumerate(COLUMNS) if column.kind is Kind.JSON]
_NEEDS_QUOTES = re.compile(r"[\",\r\n]")
_TEXTS = [n for n, column in enumerate(COLUMNS) if _CELLS[column.kind] is None]
_values = attrgetter(*(column.field for column in COLUMNS))


def cells(row: Row) -> list[str | None]:
    """Return `row` as text, column by column; None is nothing."""
    values: list[Any] = list(_values(row))
    # Most amounts of a row are one object in several columns.
    seen: dict[int, str] = {}
    for n in _DECIMALS:
        value = values[n]
        if value is not None:
            text = seen.get(id(value))
            if text is None:
                text = seen[id(value)] = decimal_text(value)
            values[n] = text
    for n, cell in _OTHERS:
        if values[n] is not None:
            values[n] = cell(values[n])
    return values


def header_bytes(*, excel: bool = False) -> bytes:
    """Return the first line; for `excel` with a byte order mark before it."""
    return (BOM if excel else b"") + csv_bytes([HEADER])


def csv_bytes(lines: Iterable[Sequence[str | None]]) -> bytes:
    """Return lines of `cells` as CSV: comma, CRLF, quotes doubled, nothing for None."""
    return "".join(map(_line, lines)).encode("utf-8")


def _line(line: Sequence[str | None]) -> str:
    # JSON has quotes and little else has: what needs none is joined as it is.
    texts = ["" if cell is None else cell for cell in line]
    jsons = [(n, texts[n]) for n in _JSONS if texts[n]]
    for n, _ in jsons:
        texts[n] = ""
    if _NEEDS_QUOTES.search("".join(texts)):
        return _by_the_book(line)
    for n, text in jsons:
        texts[n] = _quoted(text)
    return ",".join(texts) + "\r\n"


@lru_cache(maxsize=65_536)
def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _by_the_book(line: Sequence[str | None]) -> str:
    out = io.StringIO()
    # Nothing is an empty field without quotes, which is what the writer makes of None.
    csv.writer(out, lineterminator="\r\n").writerow(line)
    return out.getvalue()


def formula_safe_cells(lines: Iterable[list[str | None]]) -> Iterator[list[str | None]]:
    """Yield `lines` of `cells` with texts made safe; numbers and instants stay as they are."""
    for line in lines:
        safe = list(line)
        for n in _TEXTS:
            value = safe[n]
            if value is not None:
                safe[n] = formula_safe(value)
        yield safe
