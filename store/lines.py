"""Whole lines of many chunks as one Arrow table, without a Python object for each."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from usage import Chunk

# DuckDB reads the batches of a table in parallel.
BATCH_LINES = 8_192


@dataclass(frozen=True)
class RawLine:
    """One line, without its newline, and where it stood."""

    folder: int
    chunk: Chunk
    offset: int
    raw: bytes


class Lines:
    """The lines of `chunks`, numbered through from 0.

    `table` has a row (number, folder, line with its newline) for every line that is UTF-8; folder
    is the place in `chunks`. `not_text` are the lines of chunks that are not UTF-8 throughout.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._first: list[int] = []
        self._bounds: list[npt.NDArray[np.int64]] = []
        self.not_text: list[RawLine] = []
        batches: list[pa.RecordBatch] = []
        count = 0
        for folder, chunk in enumerate(chunks):
            bounds = _bounds(chunk.data)
            self._first.append(count)
            self._bounds.append(bounds)
            numbers = np.arange(count, count + len(bounds) - 1)
            count += len(numbers)
            if not _is_utf8(chunk.data):
                self.not_text += [self[int(number)] for number in numbers]
            else:
                batches += _record_batches(folder, chunk.data, bounds, numbers)
        self.table = pa.Table.from_batches(batches, _SCHEMA)

    def spread(self, folder: int, count: int) -> range:
        """Return the numbers of about `count` lines, spread over all lines of one chunk."""
        first, lines = self._first[folder], len(self._bounds[folder]) - 1
        return range(first, first + lines, -(-lines // count) or 1)

    def table_of(self, numbers: Sequence[int]) -> pa.Table:
        """Return the rows of `table` with these numbers."""
        return self.table.take(np.searchsorted(self.table["number"].to_numpy(), numbers))

    def __getitem__(self, number: int) -> RawLine:
        """Return line `number`."""
        folder = bisect_right(self._first, number) - 1
        chunk, bounds = self._chunks[folder], self._bounds[folder]
        begin, end = bounds[number - self._first[folder] :][:2].tolist()
        raw = chunk.data[begin : end - 1]
        return RawLine(folder, chunk, chunk.start.offset + begin, raw)


_SCHEMA = pa.schema([("number", pa.int64()), ("folder", pa.int32()), ("line", pa.large_string())])


def _bounds(data: bytes) -> npt.NDArray[np.int64]:
    """Return 0 and the end of every line of `data`."""
    found = [0]
    add, find = found.append, data.find
    # Some 700 bytes a line: looking for the next newline is ten times as fast as asking numpy
    # about each byte.
    while end := find(b"\n", found[-1]) + 1:
        add(end)
    return np.array(found, np.int64)


def _record_batches(
    folder: int, data: bytes, bounds: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> Iterator[pa.RecordBatch]:
    count = len(numbers)
    text = pa.LargeStringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(data))
    # From buffers, too: pa.array would import pandas, which takes most of a second.
    numbered = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(numbers)])
    folders = np.full(count, folder, np.int32)
    placed = pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(folders)])
    whole = pa.record_batch([numbered, placed, text], schema=_SCHEMA)
    for start in range(0, len(numbers), BATCH_LINES):
        yield whole.slice(start, BATCH_LINES)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
