"""Rows of CSV: a header, then a row per line, or on several where a quoted cell has newlines."""

import csv
import io
from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Final

from collectors.importing.block import Block, Reached, RejectedRow, RowPlace
from collectors.importing.cell import shown
from collectors.importing.content import Content
from collectors.importing.csv_split import CsvSplit, csv_format
from collectors.importing.errors import InputError
from collectors.importing.import_map import CsvMap
from collectors.importing.text_lines import (
    LONGEST_BYTES,
    NEWLINE,
    Stray,
    TextLines,
    line_pieces,
    split_lines,
)

BOM: Final = b"\xef\xbb\xbf"
# Names of columns in a message.
SHOWN_NAMES: Final = 30


class CsvRows:
    """The rows of the first `size` bytes of `content`, of each the cells of `wanted` columns.

    With `growing` a last row that has no newline, or is within quotes, is left. Raises InputError
    when the header does not have the wanted columns, each once.
    """

    def __init__(
        self,
        content: Content,
        wanted: Sequence[str],
        csv_map: CsvMap,
        size: int,
        *,
        growing: bool = False,
    ) -> None:
        content.require_text()
        self._content = content
        self.extent = size
        self._growing = growing
        header, self._first = _header(content, csv_map)
        self._split = CsvSplit(csv_map, len(header))
        self._places = _places(content, wanted, header) if header else {}
        self._quote = csv_map.quote.encode()

    def blocks(self, start: Reached) -> Iterator[Block]:
        """Yield the rows behind `start`. Raises InputError."""
        if start.offset < self._first.offset:
            start = self._first
        kept: list[bytes] = []
        kept_bytes = 0
        for piece in line_pieces(self._content, start, self.extent, growing=self._growing):
            if isinstance(piece, Stray):
                if kept:
                    block, kept = self._block(kept, start, final=True)
                    yield block
                    start = block.reached
                start, broken = piece.reached_from(start), piece.rejected(start)
                yield Block({name: [] for name in self._places}, [], _nowhere, [broken], start)
                continue
            within_quotes = bool(kept)
            kept += split_lines(piece)
            kept_bytes += len(piece)
            if within_quotes and kept_bytes <= LONGEST_BYTES and self._quote not in piece:
                continue
            block, kept = self._block(kept, start)
            kept_bytes = sum(map(len, kept))
            yield block
            start = block.reached
        if kept and not self._growing:
            yield self._block(kept, start, final=True)[0]

    def _block(
        self, lines: list[bytes], start: Reached, *, final: bool = False
    ) -> tuple[Block, list[bytes]]:
        """Return the rows that `lines` begin with, and the lines that are left."""
        text = TextLines(lines, start)
        whole = b"".join(lines).decode("utf-8", "surrogateescape")
        found = self._split.split(list(io.StringIO(whole, newline="\n")), final=final)
        number = start.rows
        numbers: Sequence[int]
        broken: list[RejectedRow] = []
        if found.broken:
            # Numbers go through the file, broken rows included.
            order = sorted([*found.spans, *(span[:2] for span in found.broken)])
            number_at = {begin: start.rows + k for k, (begin, _) in enumerate(order, 1)}
            numbers = [number_at[begin] for begin, _ in found.spans]
            broken = [
                RejectedRow(text.place(number_at[begin], begin, end), reason)
                for begin, end, reason in found.broken
            ]
            number += len(order)
        else:
            numbers = range(number + 1, number + 1 + len(found.spans))
            number += len(found.spans)
        cells = {
            name: list(map(itemgetter(place), found.cells)) for name, place in self._places.items()
        }
        place = partial(_place, text, numbers, found.spans)
        block = Block(cells, numbers, place, broken, text.reached(number, found.used))
        return block, lines[found.used :]


def _place(
    text: TextLines, numbers: Sequence[int], spans: Sequence[tuple[int, int]], index: int
) -> RowPlace:
    return text.place(numbers[index], *spans[index])


def _nowhere(index: int) -> RowPlace:
    raise IndexError(index)


def _header(content: Content, csv_map: CsvMap) -> tuple[list[str], Reached]:
    """Return the names of the columns, none for an empty file, and where the rows begin."""
    with content.open(0) as stream:
        head = stream.read(LONGEST_BYTES)
    begin = len(BOM) if head.startswith(BOM) else 0
    if csv_map.header is not None:
        return csv_map.header, Reached(0, begin, 0)
    lines = split_lines(head[begin:])
    texts = [line.decode("utf-8", "surrogateescape") for line in lines]
    reader = csv.reader(texts, **csv_format(csv_map))
    try:
        names = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise InputError(f"{content.path}: line 1: no header of CSV: {error}") from error
    offset = begin + sum(map(len, lines[: reader.line_num]))
    if offset == LONGEST_BYTES:
        raise InputError(f"{content.path}: line 1: a header longer than {LONGEST_BYTES} bytes")
    return names, Reached(0, offset, head[:offset].count(NEWLINE))


def _places(content: Content, wanted: Sequence[str], header: Sequence[str]) -> dict[str, int]:
    for name in wanted:
        count = header.count(name)
        if count > 1:
            raise InputError(
                f"{content.path}: line 1: the header has {shown(name)} {count} times; "
                "accepted: once, where the map names it"
            )
        if not count:
            names = ", ".join(shown(one) for one in header[:SHOWN_NAMES])
            more = f" and {len(header) - SHOWN_NAMES} more" if len(header) > SHOWN_NAMES else ""
            raise InputError(
                f"{content.path}: line 1: the header has no {shown(name)}, which the map names; "
                f"it has: {names}{more}"
            )
    return {name: header.index(name) for name in wanted}
