"""Files to import, in a folder of their own each, and what is read from them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from collectors.importing import csv_rows, csv_split, text_lines
from collectors.importing.block import Block, Reached, Rows
from collectors.importing.cell import Cell
from collectors.importing.content import Content


@contextmanager
def content_of(data: bytes, name: str = "log.csv") -> Iterator[Content]:
    """A file that holds `data`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield Content(path)


@contextmanager
def small_pieces(piece_bytes: int, longest_bytes: int = 2**22) -> Iterator[None]:
    """Read so many bytes at a time, and let no row be longer than that."""
    with (
        mock.patch.object(text_lines, "PIECE_BYTES", piece_bytes),
        mock.patch.object(text_lines, "LONGEST_BYTES", longest_bytes),
        mock.patch.object(csv_split, "LONGEST_BYTES", longest_bytes),
        mock.patch.object(csv_rows, "LONGEST_BYTES", longest_bytes),
    ):
        yield


def good_rows(blocks: Sequence[Block], columns: Sequence[str]) -> list[tuple[Cell, ...]]:
    """The cells of all rows that are not broken."""
    return [
        row
        for block in blocks
        for row in zip(*(block.cells[name] for name in columns), strict=True)
    ]


def places(blocks: Sequence[Block]) -> dict[int, str]:
    """Where each row is said to be, by its number; broken rows too, and each once."""
    found: dict[int, str] = {}
    for block in blocks:
        good = [block.place(index) for index in range(len(block.numbers))]
        for place in [*good, *(row.place for row in block.broken)]:
            assert place.number not in found
            found[place.number] = place.called
        assert [place.number for place in good] == list(block.numbers)
    return found


def broken(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """The broken rows: where, and why."""
    return [(row.place.called, row.reason) for block in blocks for row in block.broken]


def all_blocks(rows: Rows, start: Reached | None = None) -> list[Block]:
    """All blocks from `start` on."""
    return list(rows.blocks(start or Reached()))
