"""Content as whole lines, many at a time, and what is no line apart."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from collectors.importing.block import TEXT_BYTES, Block, Reached, RejectedRow, RowPlace
from collectors.importing.content import Content
from collectors.importing.errors import InputError

BOM = b"\xef\xbb\xbf"
NEWLINE = b"\n"
# Read at a time. Commits end between pieces, so a large one makes the least commit large.
PIECE_BYTES = 2**16
# No row of a log comes near it. What is longer is told and passed over, never held in memory.
LONGEST_BYTES = 2**22


@dataclass(frozen=True)
class Stray:
    """Bytes that are no line: the first of them, how many there are, and why they are none.

    `ends_line` tells whether the last of them is a newline.
    """

    head: bytes
    length: int
    reason: str
    ends_line: bool

    def block(self, start: Reached, wanted: Sequence[str]) -> Block:
        """Return it as a broken row that begins at `start`, of a file of `wanted` columns."""
        place = RowPlace(start.rows + 1, f"line {start.lines + 1}", start.offset, self.head)
        end = Reached(start.rows + 1, start.offset + self.length, start.lines + self.ends_line)
        no_rows: list[RowPlace] = []
        broken = [RejectedRow(place, self.reason)]
        return Block({name: [] for name in wanted}, [], no_rows.__getitem__, broken, end)


@dataclass(frozen=True)
class TextLines:
    """Whole lines, newlines included, the first of which stands at `start`."""

    lines: list[bytes]
    start: Reached

    def place(self, number: int, begin: int, end: int) -> RowPlace:
        """Return the place of row `number`, which the lines from `begin` to before `end` are."""
        offset = self.start.offset + sum(map(len, self.lines[:begin]))
        text = b"".join(self.lines[begin:end])
        return RowPlace(number, f"line {self.start.lines + begin + 1}", offset, text)

    def places(
        self, numbers: Sequence[int], spans: Sequence[tuple[int, int]]
    ) -> Callable[[int], RowPlace]:
        """Return `place` by the index of a row in `numbers` and `spans` (begin, end)."""
        return lambda index: self.place(numbers[index], *spans[index])

    def reached(self, rows: int, end: int) -> Reached:
        """Return where the line before `end` ends, `rows` rows into the file."""
        length = sum(map(len, self.lines[:end]))
        # Only the last line of a file can lack its newline.
        newlines = end if not end or self.lines[end - 1].endswith(NEWLINE) else end - 1
        return Reached(rows, self.start.offset + length, self.start.lines + newlines)


def split_lines(piece: bytes) -> list[bytes]:
    """Return the lines of `piece`, newlines included; nothing but a newline ends one."""
    return list(io.BytesIO(piece))


def line_pieces(
    content: Content, start: Reached, size: int, *, growing: bool
) -> Iterator[bytes | Stray]:
    """Yield the bytes of `content` from `start` to `size`: whole lines, or a Stray.

    A last line without a newline is one, unless the file is `growing`: then it is left. When the
    row before `start` was one, the bytes that were added to it since are a Stray.

    Raises InputError.
    """
    left = size - start.offset
    after_row = start.rows > 0 and left > 0
    with content.open(start.offset - 1 if after_row else start.offset) as stream:
        pending = b""
        skipped: _Skipped | None = None
        if after_row and stream.read(1) != NEWLINE:
            skipped = _Skipped("the rest of a line that was imported before it was complete")
        while left > 0:
            piece = stream.read(min(PIECE_BYTES, left))
            if not piece:
                raise InputError(f"{content.path}: became shorter while it was read; run it again")
            left -= len(piece)
            if skipped is not None:
                cut = piece.find(NEWLINE) + 1
                skipped.add(piece[:cut] if cut else piece)
                if not cut:
                    continue
                yield skipped.done()
                skipped = None
                piece = piece[cut:]
            cut = piece.find(NEWLINE) + 1
            if cut and len(pending) + cut > LONGEST_BYTES:
                yield _too_long(pending + piece[:cut]).done()
                pending, piece = b"", piece[cut:]
            cut = piece.rfind(NEWLINE) + 1
            if cut:
                yield pending + piece[:cut]
                pending = piece[cut:]
            else:
                pending += piece
            if len(pending) > LONGEST_BYTES:
                skipped = _too_long(pending)
                pending = b""
        if not growing:
            if skipped is not None:
                yield skipped.done()
            elif pending:
                yield pending


def _too_long(begun: bytes) -> "_Skipped":
    skipped = _Skipped(f"longer than {LONGEST_BYTES} bytes")
    skipped.add(begun)
    return skipped


class _Skipped:
    """Counts the bytes of what will be a Stray, if it is not the newline alone."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._head = b""
        self._length = 0
        self._last = b""

    def add(self, piece: bytes) -> None:
        self._head += piece[: TEXT_BYTES - len(self._head)]
        self._length += len(piece)
        self._last = piece[-1:]

    def done(self) -> bytes | Stray:
        # The line was complete but for its newline.
        if self._head in (b"\n", b"\r\n"):
            return self._head
        return Stray(self._head, self._length, self._reason, self._last == NEWLINE)
