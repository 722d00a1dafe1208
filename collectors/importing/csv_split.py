"""Lines of CSV to rows: which lines each row is, and which lines are none."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.importing.import_map import CsvMap
from collectors.importing.text_lines import LONGEST_BYTES

NEVER_CLOSED: Final = "a quote that is never closed"
LARGEST_CELL: Final = 2**31 - 1
# What the csv module says when lines end within quotes.
_ENDS_EARLY: Final = "unexpected end of data"


@dataclass
class Split:
    """The rows of some lines: `cells` of each and the lines it is (from, to before).

    `broken` are spans that are no row, with the reason. `used` lines are settled; behind them
    begins a row that goes on after the last line.
    """

    cells: list[list[str]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    broken: list[tuple[int, int, str]] = field(default_factory=list)
    used: int = 0


class CsvSplit:
    """Splits lines written as `csv_map` says into rows of `width` cells."""

    def __init__(self, csv_map: CsvMap, width: int) -> None:
        self._width = width
        self._format = csv_format(csv_map)
        # For all of the process. What is read bounds a cell, and hardly any limit is too high.
        csv.field_size_limit(LARGEST_CELL)

    def split(self, lines: Sequence[str], *, final: bool = False) -> Split:
        """Return the rows of `lines`, of which each but the last one ends in a newline.

        A quoted cell may go on behind the last line, unless that is `final`. Where quotes are not
        those of CSV, or a row is not complete within LONGEST_BYTES, the line in which the row
        begins is broken, and the next one begins a row: what becomes of a row depends on nothing
        but the bytes from its beginning on.
        """
        try:
            cells = list(csv.reader(lines, **self._format))
        except csv.Error:
            return self._split_with_broken(lines, final)
        if len(cells) != len(lines) or set(map(len, cells)) != {self._width}:
            return self._split_with_broken(lines, final)
        count = len(lines)
        return Split(cells, list(zip(range(count), range(1, count + 1), strict=True)), [], count)

    def _split_with_broken(self, lines: Sequence[str], final: bool) -> Split:
        found = Split()
        begin = 0
        while begin < len(lines):
            first = begin
            reader = csv.reader(map(lines.__getitem__, range(begin, len(lines))), **self._format)
            try:
                for cells in reader:
                    end = first + reader.line_num
                    if end - begin > 1 and _is_too_long(lines[begin:end]):
                        raise csv.Error(_ENDS_EARLY)  # noqa: TRY301 - as if it went on for ever
                    if len(cells) == self._width:
                        found.cells.append(cells)
                        found.spans.append((begin, end))
                    elif cells:  # a blank line has none
                        reason = f"{len(cells)} cells; accepted: {self._width}, as the header has"
                        found.broken.append((begin, end, reason))
                    begin = end
            except csv.Error as error:
                early = str(error) == _ENDS_EARLY
                too_long = _is_too_long(lines[begin : first + reader.line_num])
                if early and not final and not too_long:
                    break
                words = NEVER_CLOSED if early or too_long else _words(error)
                found.broken.append((begin, begin + 1, words))
                begin += 1
        found.used = begin
        return found


def _is_too_long(lines: Sequence[str]) -> bool:
    return len("".join(lines).encode("utf-8", "surrogateescape")) > LONGEST_BYTES


def csv_format(csv_map: CsvMap) -> dict[str, Any]:
    """Return what the csv module is to be told of files written as `csv_map` says."""
    quoting = csv.QUOTE_MINIMAL if csv_map.quote else csv.QUOTE_NONE
    quote = csv_map.quote or None
    return {"delimiter": csv_map.delimiter, "quotechar": quote, "quoting": quoting, "strict": True}


def _words(error: csv.Error) -> str:
    text = str(error)
    if text.startswith("new-line character"):
        return "a carriage return within an unquoted cell"
    return f"no CSV: {text}"
