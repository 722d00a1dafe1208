"""A copy of the database, its archive and files beside it that can be put back, with digests."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
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


def back_up(
    database: Path,
    folder: Path,
    *,
    now_us: int,
    beside: Sequence[str] = (),
    wait_s: float = WAIT_S,
) -> Path:
    """Copy `database`, its archive and the files `beside` it into a new folder in `folder`.

    Returns that folder. Readers may go on, a collector waits until the database is copied. Files of
    the archive never change, so they are linked where the file system allows it. Those `beside` it
    are named without a folder, and passed over where they are not there; who writes one replaces it
    whole, so the copy is of one of its states. Raises StoreErrors and OSError.
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
                    shutil.copy(part, unfinished / (DATABASE + suffix))
            for name in names:
                _link(archive_folder(database) / name, unfinished / ARCHIVE / name)
            for name in beside:
                # Copied, not linked: an editor may write into the file itself.
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(database.with_name(name), unfinished / name)
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
    """Put `backup` back as `database`, which must not exist; return its manifest.

    Its archive and what was beside it are put back, too. Every file is held to its digest first,
    and none that is there is written over. Raises BackupError and OSError.
    """
    if database.exists():
        raise BackupError(f"{database}: exists; move it away first")
    manifest = _read_manifest(backup)
    targets = {file.path: _target(backup, database, file.path) for file in manifest.files}
    for file in manifest.files:
        _require(backup, file)
    log = database.with_name(database.name + LOG)
    if log.exists() and DATABASE + LOG not in targets:
        raise BackupError(f"{log}: is the log of another database; move it away first")
    for file in manifest.files:
        target = targets[file.path]
        beside = target.parent == database.parent and target != log
        if beside and target.exists() and _digest(target) != file.sha256:
            raise BackupError(f"{target}: exists and is another one; move it away first")
    # The database comes last: a restore that was cut off before can be run again.
    for name in sorted(targets, key=lambda name: name == DATABASE):
        if not name.startswith(f"{ARCHIVE}/"):
            _copy(backup / name, targets[name])
        elif not targets[name].exists():
            _link(backup / name, targets[name])
    return manifest


def _read_manifest(backup: Path) -> Manifest:
    try:
        return msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{backup / MANIFEST}: {error}; a folder of a backup is needed") from (
            error
        )


def _target(backup: Path, database: Path, name: str) -> Path:
    """Return where the file `name` of a backup of `database` belongs."""
    parts = Path(name).parts
    if name in (DATABASE, DATABASE + LOG):
        return database.with_name(database.name + name.removeprefix(DATABASE))
    if len(parts) > 1 and parts[0] == ARCHIVE and ".." not in parts:
        return archive_folder(database).joinpath(*parts[1:])
    if parts == (name,) and name != "..":
        return database.with_name(name)
    raise BackupError(f"{backup / MANIFEST}: {name!r} is no file of a backup")


def _require(backup: Path, file: BackedUpFile) -> None:
    """Raise BackupError where a file of a backup is not what it was."""
    try:
        found = _described(backup, file.path)
    except OSError as error:
        raise BackupError(f"{backup / file.path}: {error.strerror}") from error
    if found != file:
        raise BackupError(f"{backup / file.path}: is not what was backed up")


def _copy(source: Path, target: Path) -> None:
    unfinished = target.with_name(target.name + ".new")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, unfinished)
    _sync(unfinished)
    unfinished.rename(target)


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder))


def _described(folder: Path, name: str) -> BackedUpFile:
    path = folder / name
    return BackedUpFile(name, path.stat().st_size, _digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copy(source, target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
