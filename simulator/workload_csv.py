"""A workload as a CSV file: the one module that writes the format and reads it.

    arrived_at_s[,key][,items][,priority][,tenant]

UTF-8 with a header; columns in any order, `arrived_at_s` required, the others default as in
`Workload.of`. One request a line; lines out of order are sorted by arrival; empty lines count
for nothing.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import TextIO

import numpy as np

from simulator.errors import WorkloadError
from simulator.workload import (
    ACCEPTED,
    LARGEST_ITEMS,
    LARGEST_KEY,
    PRIORITIES,
    Workload,
    is_tenant,
)

COLUMNS = ("arrived_at_s", "key", "items", "priority", "tenant")

# float() and int() also take underscores, other scripts' digits, nan and inf: none is meant here.
_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"\+?\d{1,19}", re.ASCII)


def write_workload(workload: Workload, stream: TextIO) -> None:
    """Write `workload` with all five columns; reading it back gives an equal workload."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((_decimal(arrived_at_s), *others) for arrived_at_s, *others in workload.rows())


def read_workload(source: TextIO | bytes) -> Workload:
    """Return the workload that `source`, an open text stream or the file's bytes, holds.

    Raises WorkloadError, naming line, field, value and what is accepted, for anything else:
    bytes that are not UTF-8, an unknown, doubled or missing column, a line with fields missing
    or too many, a value outside the bounds of `Workload`.
    """
    stream = io.StringIO(_text(source), newline="") if isinstance(source, bytes) else source
    lines = _lines(stream)
    header = _header(next(lines, None))
    columns: dict[str, list[object]] = {name: [] for name in header}
    cells = [(columns[name].append, _PARSERS[name]) for name in header]
    for number, row in lines:
        if len(row) != len(header):
            raise WorkloadError("row", ",".join(row), f"{len(header)} fields", number)
        for (append, parse), cell in zip(cells, row, strict=True):
            append(parse(cell.strip(), number))
    types: dict[str, type] = {"arrived_at_s": np.float64, "key": np.int64, "items": np.int64}
    return Workload.of(
        **{name: np.array(column, types.get(name, np.str_)) for name, column in columns.items()}
    )


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise WorkloadError("text", raw[error.start : error.end], "UTF-8", line) from error


def _lines(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise WorkloadError("text", str(error), "CSV", reader.line_num) from error
    except UnicodeDecodeError as error:
        # The line that could not be read is not counted yet.
        raise WorkloadError("text", str(error), "UTF-8", reader.line_num + 1) from error


def _header(line: tuple[int, list[str]] | None) -> list[str]:
    if line is None:
        raise WorkloadError("header", "", f"{','.join(COLUMNS)}, all but the first optional", 1)
    number, row = line
    # A byte order mark, as spreadsheets write it.
    header = [name.strip() for name in ",".join(row).removeprefix("\ufeff").split(",")]
    for name in header:
        if name not in COLUMNS or header.count(name) > 1:
            raise WorkloadError("column", name, f"each of {', '.join(COLUMNS)} once", number)
    if "arrived_at_s" not in header:
        raise WorkloadError("header", ",".join(row), "a column arrived_at_s", number)
    return header


def _decimal(seconds: float) -> str:
    # The shortest decimal that reads back as the same number, never with an exponent.
    text = repr(seconds)
    return np.format_float_positional(seconds, trim="0") if "e" in text else text


def _arrived_at_s(cell: str, line: int) -> float:
    seconds = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not math.isfinite(seconds):
        raise WorkloadError("arrived_at_s", cell, ACCEPTED["arrived_at_s"], line)
    return seconds


def _whole(field: str, least: int, most: int) -> Callable[[str, int], int]:
    def parse(cell: str, line: int) -> int:
        number = int(cell) if _WHOLE.fullmatch(cell) else -1
        if not least <= number <= most:
            raise WorkloadError(field, cell, ACCEPTED[field], line)
        return number

    return parse


def _name(field: str, accepts: Callable[[str], bool]) -> Callable[[str, int], str]:
    def parse(cell: str, line: int) -> str:
        if not accepts(cell):
            raise WorkloadError(field, cell, ACCEPTED[field], line)
        return cell

    return parse


_PARSERS: dict[str, Callable[[str, int], object]] = {
    "arrived_at_s": _arrived_at_s,
    "key": _whole("key", 0, LARGEST_KEY),
    "items": _whole("items", 1, LARGEST_ITEMS),
    "priority": _name("priority", PRIORITIES.__contains__),
    "tenant": _name("tenant", is_tenant),
}
