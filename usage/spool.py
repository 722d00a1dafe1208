"""The spool: the durable buffer between a node and the collector, both sides of its format.

Layout: `<spool>/<node_id>/<boot_id>/<number>.ndjson`, numbers from 1 in eight digits. One process
appends whole lines and holds an exclusive flock on the segment it writes, from before the name
becomes visible until it is done with it. The kernel lets go of the lock when the process dies, so
"nobody holds the lock" means "closed" after a rotation, a stop and a kill -9 alike.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

SUFFIX = ".ndjson"
# Of a segment that is not locked yet, and of one whose writer died before it was.
HIDDEN = ".new"
# Of a segment that a receiver has on the disk and does not account for yet. Only a receiver may
# delete it, or give it its name.
HELD = ".held"
NEWLINE = b"\n"
# No record or sample comes near it. What is longer is told and passed over, never held in memory.
LONGEST_LINE_BYTES = 2**20
# As much of what is no line is handed on.
STRAY_BYTES = 2**16
SEEK_BYTES = 2**18


def segment_name(number: int) -> str:
    """Return the name of the visible segment `number`."""
    return f"{number:08d}{SUFFIX}"


class SpoolError(OSError):
    """The spool cannot be written; the message names the path and the system's reason."""


class SpoolWriter:
    """Appends lines for one boot of one node. Not thread-safe: one thread owns it.

    A segment is left for the next number when it holds `segment_bytes` or is `segment_seconds` old.
    With `fsync` every append is on disk before it returns; without, the system decides when (the
    lines survive the death of this process either way, only not a crash of the machine).
    """

    def __init__(
        self,
        spool: Path,
        node_id: str,
        boot_id: str,
        *,
        segment_bytes: int = 64 * 2**20,
        segment_seconds: float = 60.0,
        fsync: bool = False,
    ) -> None:
        self._folder = spool / node_id / boot_id
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._fsync = fsync
        self._number = 0
        self._descriptor: int | None = None
        self._inode = 0
        self._size = 0
        self._opened_at = 0.0

    def append(self, lines: bytes) -> None:
        """Append `lines`, which end in a newline, all or none of them.

        Raises SpoolError when the system refuses (disk full, no permission); what was written of
        `lines` is taken back, so a later append of the same lines leaves each of them once.
        """
        try:
            descriptor = self._open_segment()
            self._write(descriptor, lines)
            if self._is_lost():
                self._size -= len(lines)
                self._take_back(descriptor)
                self.close()
                self._write(self._open_segment(), lines)
        except OSError as error:
            raise SpoolError(error.errno, f"spool {self._folder}: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the current segment, after which a reader may consume and delete it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, descriptor: int, lines: bytes) -> None:
        written = 0
        try:
            while written < len(lines):
                written += os.write(descriptor, memoryview(lines)[written:])
            if self._fsync:
                os.fdatasync(descriptor)
        except OSError:
            self._take_back(descriptor)
            raise
        self._size += len(lines)

    def _take_back(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            # Nothing may follow the torn line in this segment.
            self.close()

    def _open_segment(self) -> int:
        full = self._size >= self._segment_bytes
        old = self._size > 0 and time.monotonic() - self._opened_at >= self._segment_seconds
        if self._descriptor is not None and (full or old):
            self.close()
        if self._descriptor is None:
            try:
                self._create_segment()
            except (FileNotFoundError, BlockingIOError):
                # A collector looked at it, or tidied the empty folder away, in between.
                self._create_segment()
        assert self._descriptor is not None
        return self._descriptor

    def _is_lost(self) -> bool:
        """Tell whether the segment was deleted or moved away, which no reader does: its lines are
        where nobody looks for them. Asked after writing, which must not wait for the answer."""
        try:
            return self._path(self._number).stat().st_ino != self._inode
        except (FileNotFoundError, NotADirectoryError):
            return True

    def _path(self, number: int) -> Path:
        return self._folder / segment_name(number)

    def _create_segment(self) -> None:
        number = self._number + 1
        self._folder.mkdir(parents=True, exist_ok=True)
        hidden = self._folder / f".{segment_name(number)}{HIDDEN}"
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(self._path(number))
            self._inode = os.fstat(descriptor).st_ino
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._number, self._size = descriptor, number, 0
        self._opened_at = time.monotonic()


@dataclass(frozen=True, order=True)
class Position:
    """How far one boot was read: everything before byte `offset` of segment `segment`."""

    segment: int = 1
    offset: int = 0


@dataclass(frozen=True)
class Stray:
    """Bytes of a segment that are no line: where they begin, the first of them, and the reason."""

    offset: int
    head: bytes
    reason: str


@dataclass(frozen=True)
class Chunk:
    """Lines of one boot that were not read before, and where reading goes on once they are stored.

    `data` holds whole lines with their newlines, all from segment `segment`; `stray` is what
    follows them when it is no line: torn, because its writer died while writing it, or too long.
    """

    node_id: str
    boot_id: str
    segment: int
    data: bytes
    stray: Stray | None
    start: Position
    end: Position

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield every whole line without its newline, and where in the segment it starts."""
        offset = self.start.offset
        for line in self.data.split(NEWLINE)[:-1]:
            yield offset, line
            offset += len(line) + 1


@dataclass(frozen=True)
class Boot:
    """The folder of one boot of one node, and what a collector does with it."""

    folder: Path

    @property
    def node_id(self) -> str:
        """The node's name: the folder above."""
        return self.folder.parent.name

    @property
    def boot_id(self) -> str:
        """The boot's id: the folder itself."""
        return self.folder.name

    def segments(self) -> list[int]:
        """Return the numbers of the visible segments, ascending."""
        return self._numbers("", SUFFIX)

    def held(self) -> list[int]:
        """Return the numbers of the segments that a receiver holds back, ascending."""
        return self._numbers(".", SUFFIX + HELD)

    def _numbers(self, prefix: str, suffix: str) -> list[int]:
        try:
            entries = os.listdir(self.folder)  # noqa: PTH208 - a collector may remove the folder
        except FileNotFoundError:
            return []
        found = (n for n in entries if n.startswith(prefix) and n.endswith(suffix))
        names = (name.removeprefix(prefix).removesuffix(suffix) for name in found)
        return sorted(int(name) for name in names if name.isdecimal())

    def read(self, position: Position, limit_bytes: int) -> Chunk | None:
        """Return the next whole lines after `position`, about `limit_bytes` of them, or None.

        A line longer than `limit_bytes` is read whole. None means there is nothing to do now.
        """
        for number in self.segments():
            if number < position.segment:
                continue
            start = position if number == position.segment else Position(number, 0)
            chunk = self._read_segment(start, limit_bytes)
            if chunk is not None:
                return chunk
            if not _is_unlocked(self._path(number)):
                return None
        return None

    def delete_consumed(self, position: Position) -> None:
        """Delete the segments that lie wholly before `position` and that nobody writes any more,
        and those in which their writer died before it wrote anything.

        The folder goes with the last of them.
        """
        for number in self.segments():
            path = self._path(number)
            if number > position.segment and path.stat().st_size > 0:
                break
            # Asked before the size is: what a closed segment then holds is all there will be.
            if not _is_unlocked(path):
                break
            stored_bytes = position.offset if number == position.segment else 0
            if number < position.segment or path.stat().st_size == stored_bytes:
                path.unlink()
        if not self.segments():
            for hidden in self.folder.glob(f".*{SUFFIX}{HIDDEN}"):
                if _is_unlocked(hidden):
                    hidden.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty: somebody else's files, or a new segment
                self.folder.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / segment_name(number)

    def _read_segment(self, start: Position, limit_bytes: int) -> Chunk | None:
        # Asked before the bytes are read: what a closed segment then holds is all there will be.
        closed = _is_unlocked(self._path(start.segment))
        with self._path(start.segment).open("rb", buffering=0) as segment:
            data = _whole_lines(segment, start.offset, limit_bytes)
            end, stray = start.offset + len(data), None
            if not data:
                stray, length = _stray(segment, start.offset, closed=closed)
                end += length
        if end == start.offset:
            return None
        return Chunk(
            self.node_id,
            self.boot_id,
            start.segment,
            data,
            stray,
            start,
            Position(start.segment, end),
        )


def _whole_lines(segment: FileIO, offset: int, limit_bytes: int) -> bytes:
    """Return the lines from `offset` on that end within `limit_bytes`, or in the longest line more.

    The end is looked for first, so that as much as is returned is read, once.
    """
    size = os.fstat(segment.fileno()).st_size
    stop = min(offset + limit_bytes, size)
    for _ in range(2):
        end = stop
        while end > offset:
            begin = max(offset, end - SEEK_BYTES)
            newline = os.pread(segment.fileno(), end - begin, begin).rfind(NEWLINE)
            if newline >= 0:
                return os.pread(segment.fileno(), begin + newline + 1 - offset, offset)
            end = begin
        stop = min(offset + max(limit_bytes, LONGEST_LINE_BYTES), size)
    return b""


def _stray(segment: FileIO, offset: int, *, closed: bool) -> tuple[Stray | None, int]:
    """Return what begins at `offset` and is no whole line, and how long it is in bytes.

    Nothing and 0 while more of it may come.
    """
    head = os.pread(segment.fileno(), STRAY_BYTES, offset)
    length, ended = 0, False
    while not ended and (more := os.pread(segment.fileno(), SEEK_BYTES, offset + length)):
        newline = more.find(NEWLINE)
        ended = newline >= 0
        length += newline + 1 if ended else len(more)
    if ended and length > LONGEST_LINE_BYTES:
        reason = f"a line of {length} bytes; accepted: at most {LONGEST_LINE_BYTES}"
        return Stray(offset, head, reason), length
    if length and closed and not ended:
        return Stray(offset, head, f"torn after {length} bytes: its writer was killed"), length
    return None, 0


def boots(spool: Path) -> list[Boot]:
    """Return every boot that has a folder in `spool`, oldest boot of each node first.

    What is hidden is not a node's: a receiver keeps its memory there.
    """
    return [Boot(path) for path in sorted(spool.glob("[!.]*/[!.]*")) if path.is_dir()]


def _is_unlocked(path: Path) -> bool:
    """Tell whether no writer holds `path`: it is closed, or was never begun."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
