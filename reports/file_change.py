"""Changing a file that others read or edit, too: old or new, never half of it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[Path]:
    """Hand over the file that `path` leads to; who comes here meanwhile waits until the block ends.

    The kernel ends the wait, too, when a process dies. Raises OSError.
    """
    # A link stays one: what it points to is replaced.
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # On the folder, for the file itself is another one after each change.
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield target
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Make `text` the content of the file `path`, as `replace_content` does."""
    replace_content(path, text.encode())


def replace_content(path: Path, content: bytes) -> None:
    """Make `content` that of the file `path`. Where others may do so too, call it in `alone_with`.

    A process killed meanwhile, or a full disk, leaves the file as it was. Raises OSError.
    """
    # Always the same name: what a killed process left is overwritten by the next one.
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        if path.exists():
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    # The new name is on the disk once the folder is.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
