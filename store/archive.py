"""Older raw facts as Parquet, a partition a day, beside the database: both sides of the format.

`<folder of the database>/archive/<kind>/date=YYYY-MM-DD/<id>.parquet`, zstd, sorted by time. A file
is written beside, synced and renamed, then named in `archive_file` in the transaction that takes
its facts out of the hot table. A file that is not named there is not read.
"""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from store.archive_views import (
    KINDS,
    Archived,
    archive_folder,
    escaped,
    point_views,
    quoted_paths,
)
from store.database import WAIT_S, attached, memory_engine
from store.errors import StoreError
from store.period import DAY_US, date_of
from store.schema import transaction

ROW_GROUP_ROWS = 65_536
SUFFIX = ".parquet"
# Of a file that is being written; one that is left over was never read by anybody.
UNFINISHED = ".new"


@dataclass(frozen=True)
class ArchiveFile:
    """One file: `path` is relative to the archive's folder, `day_us` the start of its day."""

    kind: str
    path: str
    day_us: int
    facts: int
    first_us: int
    last_us: int
    size_bytes: int


class ArchiveConflictError(StoreError):
    """Facts arrived while they were being archived; nothing was changed, try again."""


def archive_before(
    path: Path, before_us: int, *, now_us: int, wait_s: float = WAIT_S
) -> list[ArchiveFile]:
    """Move hot facts from before `before_us` into files, one for each kind and day.

    Readers may read meanwhile, but for the moment in which the files take the place of the rows.
    Raises ArchiveConflictError, StoreErrors, and OSError when the files cannot be written.
    """
    engine = memory_engine(path)
    written: list[ArchiveFile] = []
    try:
        with attached(engine, path, wait_s=wait_s, read_only=True):
            for kind in KINDS:
                written += _write_days(engine, archive_folder(path), kind, before_us)
        if written:
            with attached(engine, path, wait_s=wait_s), transaction(engine):
                for file in written:
                    _take_over(engine, file)
                _register(engine, path, written, now_us)
    except BaseException:
        _delete(archive_folder(path), written)
        raise
    finally:
        engine.close()
    return written


def merge_days(
    path: Path, before_us: int, *, now_us: int, wait_s: float = WAIT_S
) -> list[ArchiveFile]:
    """Make one file of the several that a day before `before_us` has; return the new ones.

    Raises StoreErrors, and OSError when the files cannot be written.
    """
    folder = archive_folder(path)
    engine = memory_engine(path)
    merged: list[ArchiveFile] = []
    try:
        with attached(engine, path, wait_s=wait_s, read_only=True):
            days = engine.execute(
                """
                SELECT kind, day_us, list(path ORDER BY first_us) FROM archive_file
                WHERE day_us < ? GROUP BY kind, day_us HAVING count(*) > 1
                """,
                [before_us],
            ).fetchall()
        replaced: list[str] = []
        for name, day_us, paths in days:
            kind = next(kind for kind in KINDS if kind.kind == name)
            merged.append(write_once(engine, folder, kind, paths, day_us))
            replaced += paths
        if merged:
            with attached(engine, path, wait_s=wait_s), transaction(engine):
                _forget_files(engine, replaced)
                _register(engine, path, merged, now_us)
            # Nobody reads them any more: a reader that knew them would have kept the writer out.
            for old in replaced:
                (folder / old).unlink(missing_ok=True)
    except BaseException:
        _delete(folder, merged)
        raise
    finally:
        engine.close()
    return merged


def drop_days(path: Path, before_us: int, *, wait_s: float = WAIT_S) -> int:
    """Delete archived facts of days before `before_us`; return how many. Rollups stay."""
    engine = memory_engine(path)
    try:
        with attached(engine, path, wait_s=wait_s):
            rows = engine.execute(
                "SELECT path, facts FROM archive_file WHERE day_us < ?", [before_us]
            ).fetchall()
            if rows:
                with transaction(engine):
                    _forget_files(engine, [name for name, _ in rows])
                    engine.execute(
                        "UPDATE archive_state SET kept_from_us = greatest(kept_from_us, ?)",
                        [before_us],
                    )
                    point_views(engine, path)
        for name, _ in rows:
            (archive_folder(path) / name).unlink(missing_ok=True)
    finally:
        engine.close()
    return sum(facts for _, facts in rows)


def files_on_disk(folder: Path, kind: Archived) -> list[Path]:
    """Return every finished file of one kind in the archive `folder`, registered or not."""
    return sorted((folder / kind.kind).glob(f"date=*/*{SUFFIX}"))


def describe(
    engine: duckdb.DuckDBPyConnection, folder: Path, kind: Archived, file: Path
) -> ArchiveFile:
    """Return what `file` holds, read from it. Raises duckdb.Error when it cannot be read."""
    [(facts, first_us, last_us)] = engine.execute(
        f"SELECT count(*), min({kind.time}), max({kind.time}) FROM read_parquet(?)", [str(file)]
    ).fetchall()
    relative = str(file.relative_to(folder))
    day_us = first_us // DAY_US * DAY_US
    return ArchiveFile(kind.kind, relative, day_us, facts, first_us, last_us, file.stat().st_size)


def write_once(
    engine: duckdb.DuckDBPyConnection,
    folder: Path,
    kind: Archived,
    paths: Sequence[str],
    day_us: int,
) -> ArchiveFile:
    """Write one file of a day that holds each fact of `paths` once; they stay where they are."""
    source = f"read_parquet({quoted_paths(folder, paths)}, hive_partitioning = false)"
    once = f"(SELECT DISTINCT ON ({kind.identity}) * FROM {source})"
    return _write(engine, folder, kind, once, day_us)


def register_files(
    engine: duckdb.DuckDBPyConnection, path: Path, files: Sequence[ArchiveFile], now_us: int
) -> None:
    """Name `files` in the current database, the file `path`, and let the views read them."""
    _register(engine, path, files, now_us)


def _write_days(
    engine: duckdb.DuckDBPyConnection, folder: Path, kind: Archived, before_us: int
) -> list[ArchiveFile]:
    days = engine.execute(
        f"SELECT DISTINCT {kind.time} // {DAY_US} * {DAY_US} FROM {kind.hot} "
        f"WHERE {kind.time} < ? ORDER BY ALL",
        [before_us],
    ).fetchall()
    files = []
    for (day_us,) in days:
        end_us = min(day_us + DAY_US, before_us)
        facts = f"{kind.live} WHERE {kind.time} >= {day_us} AND {kind.time} < {end_us}"
        files.append(_write(engine, folder, kind, facts, day_us))
    return files


def _write(
    engine: duckdb.DuckDBPyConnection, folder: Path, kind: Archived, source: str, day_us: int
) -> ArchiveFile:
    partition = folder / kind.kind / f"date={date_of(day_us)}"
    partition.mkdir(parents=True, exist_ok=True)
    final = partition / f"{uuid.uuid4()}{SUFFIX}"
    unfinished = final.with_name(final.name + UNFINISHED)
    try:
        engine.execute(
            f"COPY (FROM {source} ORDER BY {kind.time}) TO '{escaped(unfinished)}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
        )
        _sync(unfinished)
        unfinished.rename(final)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(partition)
    return describe(engine, folder, kind, final)


def _take_over(engine: duckdb.DuckDBPyConnection, file: ArchiveFile) -> None:
    """Delete from the hot table what `file` holds, which must be all there is of that time."""
    kind = next(kind for kind in KINDS if kind.kind == file.kind)
    [(deleted,)] = engine.execute(
        f"DELETE FROM {kind.hot} WHERE {kind.time} BETWEEN ? AND ?", [file.first_us, file.last_us]
    ).fetchall()
    if deleted != file.facts:
        raise ArchiveConflictError(
            f"{file.path} holds {file.facts} facts, the database {deleted} of the same time"
        )


def _register(
    engine: duckdb.DuckDBPyConnection, path: Path, files: Sequence[ArchiveFile], now_us: int
) -> None:
    for file in files:
        engine.execute(
            "INSERT INTO archive_file VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                file.kind,
                file.path,
                file.day_us,
                file.facts,
                file.first_us,
                file.last_us,
                file.size_bytes,
                now_us,
            ],
        )
    point_views(engine, path)


def _forget_files(engine: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    engine.execute("DELETE FROM archive_file WHERE list_contains(?, path)", [list(paths)])


def _delete(folder: Path, files: Sequence[ArchiveFile]) -> None:
    for file in files:
        (folder / file.path).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
