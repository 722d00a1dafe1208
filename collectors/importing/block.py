"""Some rows of a file that follow each other, column by column, and where they stood."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from collectors.importing.cell import Cell

# Of the text of a row that is rejected, as much is kept.
TEXT_BYTES: Final = 2**16


@dataclass(frozen=True)
class Reached:
    """How far a file was read: rows, bytes of its content, ends of lines.

    Rows are counted from the first below the header, broken ones included, blank lines not. Of a
    Parquet file, which has no lines, all three are rows.
    """

    rows: int = 0
    offset: int = 0
    lines: int = 0


@dataclass(frozen=True)
class RowPlace:
    """One row: its number, what to call the place ("line 12"), the byte it begins at, its text."""

    number: int
    called: str
    offset: int
    text: bytes


@dataclass(frozen=True)
class RejectedRow:
    """A row that is no fact, and why."""

    place: RowPlace
    reason: str


@dataclass(frozen=True)
class Block:
    """Rows between two positions of a file; `reached` is the second.

    `cells` has a sequence for each wanted column, and `numbers` the number of each of these rows.
    `place` tells where the row of an index in them stood. Rows that the format itself does not
    allow are in `broken` only.
    """

    cells: Mapping[str, Sequence[Cell]]
    numbers: Sequence[int]
    place: Callable[[int], RowPlace]
    broken: Sequence[RejectedRow]
    reached: Reached


class Rows(Protocol):
    """The rows of one file. `extent` is the `offset` of a `Reached` where all are read."""

    extent: int

    def blocks(self, start: Reached) -> Iterator[Block]:
        """Yield the rows behind `start`, which is the `reached` of a block or the beginning.

        Raises InputError when the file cannot be read on.
        """
        ...
