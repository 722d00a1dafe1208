"""The bytes of a file, unpacked where its name ends in .gz."""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from collectors.importing.errors import InputError

PIECE_BYTES = 2**18

# What a file begins with that is no text in UTF-8, and what it is then.
_FOREIGN = {
    b"PAR1": "Parquet; accepted: --format parquet",
    b"\x1f\x8b": "packed by gzip; accepted: such a file with a name that ends in .gz",
    b"\x28\xb5\x2f\xfd": "packed by zstd; accepted: plain text, or text packed by gzip",
    b"PK\x03\x04": "a zip file, as those of spreadsheets are; accepted: plain text",
    b"\xff\xfe": "UTF-16; accepted: UTF-8",
    b"\xfe\xff": "UTF-16; accepted: UTF-8",
}


class Content:
    """The content of the file `path`, which is there and a regular file. Raises InputError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_packed = path.suffix == ".gz"
        with self._named():
            kind = path.stat().st_mode
            if not stat.S_ISREG(kind):
                raise InputError(
                    f"{path}: no regular file; accepted: a file that can be read again"
                )
            with path.open("rb"):
                pass

    def pieces(self) -> Iterator[bytes]:
        """Yield all of it, piece by piece. Raises InputError."""
        with self.open(0) as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece

    @contextmanager
    def open(self, offset: int) -> Iterator[BinaryIO]:
        """Open it at the byte `offset`. What its use raises is raised as InputError."""
        with self._named():
            if self.is_packed:
                # It unpacks, and forgets, what lies before.
                with gzip.open(self.path, "rb") as packed:
                    packed.seek(offset)
                    yield cast(BinaryIO, packed)
            else:
                with self.path.open("rb") as stream:
                    stream.seek(offset, os.SEEK_SET)
                    yield stream

    def require_text(self) -> None:
        """Raise InputError when it begins as a file does that is no text in UTF-8."""
        with self.open(0) as stream:
            head = stream.read(4)
        for mark, what in _FOREIGN.items():
            if head.startswith(mark):
                raise InputError(f"{self.path}: is {what}")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(f"{self.path}: cannot be unpacked: {error}") from error
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from error
