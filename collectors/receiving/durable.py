"""Files and names that are on the disk before the next step is taken.

A name is as durable as its folder: who creates or renames a file asks for both. All functions raise
OSError; what a failed one leaves behind is for its caller to settle.
"""

import os
from pathlib import Path

# Of a file that is about to take the place of another.
FRESH = ".new"


def write_durably(path: Path, content: bytes) -> None:
    """Make `path` hold `content`, on the disk; its name is not until `sync_folder`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, memoryview(content)[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(path: Path, content: bytes) -> None:
    """Make `path` hold `content`: a reader sees the old content or the new one, never a part."""
    fresh = path.with_name(path.name + FRESH)
    write_durably(fresh, content)
    fresh.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder_durably(folder: Path, root: Path) -> None:
    """Make `folder`, which lies in `root`, and all between, with their names on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    while folder != root:
        folder = folder.parent
        sync_folder(folder)
