"""Rows of CSV: a header, then a row per line, or on several where a quoted cell has newlines."""

import csv
import io
from collections.abc import Iterator, Sequence
from operator import itemgetter

from collectors.importing.block import Block, Reached, RejectedRow
from collectors.importing.cell import shown, shown_names
from collectors.importing.content import Content
from collectors.importing.csv_split import CsvSplit, csv_format
from collectors.importing.errors import InputError
from collectors.importing.import_map import CsvMap
from collectors.importing.text_lines import (
    BOM,
    LONGEST_BYTES,
    NEWLINE,
    Stray,
    TextLines,
    line_pieces,
    split_lines,
)


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
        self._wanted = wanted
        self.extent = size
        self._growing = growing
        header, self._first = _header(content, csv_map)
        self._split = CsvSplit(csv_map, len(header))
        # An empty file has no header, and no row either.
        self._indices = {name: _index(content, header, name) for name in wanted} if header else {}
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
                block = piece.block(start, self._wanted)
                yield block
                start = block.reached
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
        last = start.rows + len(found.spans) + len(found.broken)
        numbers: Sequence[int] = range(start.rows + 1, last + 1)
        broken: list[RejectedRow] = []
        if found.broken:
            # Numbers go through the file, broken rows included.
            begins = sorted(begin for begin, *_ in (*found.spans, *found.broken))
            number_at = dict(zip(begins, numbers, strict=True))
            numbers = [number_at[begin] for begin, _ in found.spans]
            broken = [
                RejectedRow(text.place(number_at[begin], begin, end), reason)
                for begin, end, reason in found.broken
            ]
        cells = {
            name: list(map(itemgetter(index), found.cells)) for name, index in self._indices.items()
        }
        places = text.places(numbers, found.spans)
        block = Block(cells, numbers, places, broken, text.reached(last, found.used))
        return block, lines[found.used :]


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


def _index(content: Content, header: Sequence[str], name: str) -> int:
    """Return which cell of a row is in the column `name`. Raises InputError."""
    count = header.count(name)
    if count > 1:
        raise InputError(
            f"{content.path}: line 1: the header has {shown(name)} {count} times; "
            "accepted: once, where the map names it"
        )
    if not count:
        raise InputError(
            f"{content.path}: line 1: the header has no {shown(name)}, which the map names; "
            f"it has: {shown_names(header)}"
        )
    return header.index(name)
