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


@contextlib.contextmanager
def changing(path: Path, told_as: type[Exception]) -> Iterator[Path]:
    """As `alone_with`, for a file that a person looks at: what goes wrong is told as `told_as`."""
    try:
        with alone_with(path) as file:
            yield file
    # RuntimeError: links that lead in a circle.
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise told_as(f"{path}: {reason}; nothing was changed") from error


def replace_text(path: Path, text: str) -> None:
    """Make `text` the content of the file `path`, as `replace_content` does."""
    replace_content(path, text.encode())


def replace_content(path: Path, content: bytes) -> None:
    """Make `content` that of the file `path`. Where others may do so too, call it in `alone_with`.

    A process killed meanwhile, or a full disk, leaves the file as it was. Raises OSError.
    """
    # Always the same name: what a killed process left is overwritten by the next one.
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names of files in `folder` to the disk, new ones among them. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
