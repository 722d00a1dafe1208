"""Rows of newline-delimited JSON: an object per line, its values found by dotted paths."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from collectors.importing.block import Block, Reached, RejectedRow
from collectors.importing.cell import Cell
from collectors.importing.content import Content
from collectors.importing.text_lines import BOM, Stray, TextLines, line_pieces, split_lines

# Decimals stay text: as floats they would not be exact.
_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_SCALARS: Final = frozenset({str, int, type(None)})


class NdjsonRows:
    """The rows of the first `size` bytes of `content`, of each the cells of `wanted`.

    A path of several names, such as "usage.prompt_tokens", goes into objects; a key that itself
    has the dots is found first. What is not there is null. With `growing` a last line without a
    newline is left.
    """

    def __init__(
        self, content: Content, wanted: Sequence[str], size: int, *, growing: bool = False
    ) -> None:
        content.require_text()
        self._content = content
        self._wanted = wanted
        self.extent = size
        self._growing = growing

    def blocks(self, start: Reached) -> Iterator[Block]:
        """Yield the rows behind `start`. Raises InputError."""
        for piece in line_pieces(self._content, start, self.extent, growing=self._growing):
            if isinstance(piece, Stray):
                block = piece.block(start, self._wanted)
            else:
                block = self._block(TextLines(split_lines(piece), start))
            yield block
            start = block.reached

    def _block(self, text: TextLines) -> Block:
        lines = text.lines
        if text.start.offset == 0 and lines[0].startswith(BOM):
            lines = [lines[0].removeprefix(BOM), *lines[1:]]
        try:
            rows = list(map(_DECODER.decode, lines))
            cells = {name: _column(rows, name) for name in self._wanted}
        except (ValueError, RecursionError, _NoCellError):
            return self._block_with_broken(text, lines)
        count, first = len(lines), text.start.rows + 1
        numbers = range(first, first + count)
        places = text.places(numbers, [(index, index + 1) for index in range(count)])
        return Block(cells, numbers, places, [], text.reached(numbers[-1], count))

    def _block_with_broken(self, text: TextLines, lines: list[bytes]) -> Block:
        number = text.start.rows
        cells: dict[str, list[Cell]] = {name: [] for name in self._wanted}
        numbers: list[int] = []
        spans: list[tuple[int, int]] = []
        broken: list[RejectedRow] = []
        for begin, line in enumerate(lines):
            if not line.strip():
                continue
            number += 1
            try:
                row = [_DECODER.decode(line)]
                found = [_column(row, name) for name in self._wanted]
            except (ValueError, RecursionError, _NoCellError) as error:
                known = isinstance(error, _NoCellError)
                reason = str(error) if known else f"no JSON object: {error}"
                broken.append(RejectedRow(text.place(number, begin, begin + 1), reason))
                continue
            for name, [cell] in zip(self._wanted, found, strict=True):
                cells[name].append(cell)
            numbers.append(number)
            spans.append((begin, begin + 1))
        places = text.places(numbers, spans)
        return Block(cells, numbers, places, broken, text.reached(number, len(lines)))


class _NoCellError(Exception):
    """A wanted value is an object or a list."""


def _column(rows: Sequence[dict[str, Any]], path: str) -> list[Cell]:
    cells = [row.get(path) for row in rows]
    if "." in path and None in cells:
        cells = [
            _inside(row, path) if cell is None else cell
            for row, cell in zip(rows, cells, strict=True)
        ]
    if not _SCALARS.issuperset(map(type, cells)):
        cells = [_cell(path, value) for value in cells]
    return cells


def _inside(row: dict[str, Any], path: str) -> Any:
    """Return what `path` leads to in `row`, None where it leads nowhere."""
    head, _, tail = path.partition(".")
    while tail:
        inner = row.get(head)
        if isinstance(inner, dict):
            found = inner.get(tail)
            return _inside(inner, tail) if found is None and "." in tail else found
        name, _, tail = tail.partition(".")
        head = f"{head}.{name}"
    return None


def _cell(path: str, value: Any) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        raise _NoCellError(f"{path} is {kind}; accepted: text, a number, true, false or null")
    return value  # type: ignore[no-any-return]
