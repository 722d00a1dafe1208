"""A copy of the database and its archive that can be put back, with the digest of every file."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from store.archive_views import archive_folder
from store.database import WAIT_S, attached, memory_engine
from store.errors import DatabaseMissingError, StoreError

MANIFEST = "manifest.json"
DATABASE = "usage.duckdb"
# DuckDB's log of changes: there when a process was killed in the middle of a commit.
LOG = ".wal"
ARCHIVE = "archive"
BLOCK_BYTES = 2**20


class BackupError(StoreError):
    """A backup that cannot be made or put back; the message says which file and why."""


class BackedUpFile(Struct, frozen=True):
    """One file of a backup, by its path within it."""

    path: str
    size_bytes: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What a backup holds, and when it was made."""

    made_at_us: int
    commits: int
    files: list[BackedUpFile]


def back_up(database: Path, folder: Path, *, now_us: int, wait_s: float = WAIT_S) -> Path:
    """Copy `database` and its archive into a new folder in `folder`; return it.

    Readers may go on, a collector waits until the database is copied. Files of the archive never
    change, so they are linked where the file system allows it. Raises StoreErrors and OSError.
    """
    if not database.exists():
        raise DatabaseMissingError(f"{database}: no database there")
    moment = datetime.fromtimestamp(now_us // 1_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    final = folder / f"{database.stem}-{moment}"
    unfinished = folder / f".{final.name}.new"
    if final.exists():
        raise BackupError(f"{final}: exists already")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    engine = memory_engine(database)
    try:
        with attached(engine, database, wait_s=wait_s, read_only=True):
            [(commits,)] = engine.execute("SELECT commits FROM store_state").fetchall()
            names = [name for (name,) in engine.execute("SELECT path FROM archive_file").fetchall()]
            # While it is open for reading, no process can write it.
            for suffix in ("", LOG):
                part = database.with_name(database.name + suffix)
                if not suffix or part.exists():
                    shutil.copyfile(part, unfinished / (DATABASE + suffix))
            for name in names:
                _link(archive_folder(database) / name, unfinished / ARCHIVE / name)
    finally:
        engine.close()
    files = [_described(unfinished, name) for name in _files(unfinished)]
    manifest = Manifest(now_us, commits, files)
    (unfinished / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    for name in (*(file.path for file in files), MANIFEST):
        _sync(unfinished / name)
    unfinished.rename(final)
    _sync(folder)
    return final


def restore(backup: Path, database: Path) -> Manifest:
    """Put `backup` back as `database`, which must not exist, with its archive; return its manifest.

    Every file is held to its digest first. Raises BackupError and OSError.
    """
    if database.exists():
        raise BackupError(f"{database}: exists; move it away first")
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{backup / MANIFEST}: {error}; a folder of a backup is needed") from (
            error
        )
    for file in manifest.files:
        try:
            found = _described(backup, file.path)
        except OSError as error:
            raise BackupError(f"{backup / file.path}: {error.strerror}") from error
        if found != file:
            raise BackupError(f"{backup / file.path}: is not what was backed up")
    log = database.with_name(database.name + LOG)
    if log.exists() and not (backup / (DATABASE + LOG)).exists():
        raise BackupError(f"{log}: is the log of another database; move it away first")
    folder = archive_folder(database)
    for file in manifest.files:
        if file.path not in (DATABASE, DATABASE + LOG):
            target = folder / Path(file.path).relative_to(ARCHIVE)
            if not target.exists():
                _link(backup / file.path, target)
    # The database comes last: a restore that was cut off before can be run again.
    for suffix in (LOG, ""):
        if not (backup / (DATABASE + suffix)).exists():
            continue
        target = database.with_name(database.name + suffix)
        unfinished = target.with_name(target.name + ".new")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup / (DATABASE + suffix), unfinished)
        _sync(unfinished)
        unfinished.rename(target)
    return manifest


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder))


def _described(folder: Path, name: str) -> BackedUpFile:
    digest = hashlib.sha256()
    with (folder / name).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
        return BackedUpFile(name, file.tell(), digest.hexdigest())


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
