"""Where the archive of a database is, and the views that unite it with what is hot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Archived:
    """A kind of raw fact: its hot table, how to read it with all columns, its time and identity."""

    kind: str
    hot: str
    live: str
    view: str
    time: str
    identity: str


KINDS = (
    Archived(
        "usage",
        "usage_record_hot",
        "usage_record_live",
        "usage_record",
        "arrived_at_us",
        "record_id",
    ),
    Archived(
        "sample",
        "node_sample_hot",
        "node_sample_hot",
        "node_sample",
        "sampled_at_us",
        "node_id, boot_id, sampled_at_us",
    ),
)


def archive_folder(database: Path) -> Path:
    """Return where the archive of `database` is: data/archive for data/usage.duckdb.

    A database of another name has one of its own beside it.
    """
    name = "archive" if database.stem == "usage" else f"{database.stem}-archive"
    return database.resolve().parent / name


def moved(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Tell whether the views name another folder than that beside the current database, `path`."""
    [(folder,)] = connection.execute("SELECT folder FROM archive_state").fetchall()
    return folder not in ("", str(archive_folder(path)))


def point_views(engine: duckdb.DuckDBPyConnection, path: Path, *, temporary: bool = False) -> None:
    """Let the views of records and samples unite what is hot with the registered files.

    `temporary` is for a reader of a database that was moved since they were pointed.
    """
    folder = archive_folder(path)
    for kind in KINDS:
        paths = [
            name
            for (name,) in engine.execute(
                "SELECT path FROM archive_file WHERE kind = ? ORDER BY first_us", [kind.kind]
            ).fetchall()
        ]
        union = ""
        if paths:
            described = engine.execute(f"DESCRIBE {kind.live}").fetchall()
            columns = ", ".join(name for name, *_ in described)
            union = f"""
            UNION ALL
            SELECT {columns}
            FROM read_parquet({quoted_paths(folder, paths)}, hive_partitioning = false)
            """
        create = "CREATE TEMP VIEW" if temporary else "CREATE OR REPLACE VIEW"
        engine.execute(f"{create} {kind.view} AS FROM {kind.live} {union}")
    if not temporary:
        engine.execute("UPDATE archive_state SET folder = ?", [str(folder)])


def quoted_paths(folder: Path, paths: Sequence[str]) -> str:
    """Return `paths` in `folder` as a list in SQL."""
    return "[" + ", ".join(f"'{escaped(folder / name)}'" for name in paths) + "]"


def escaped(path: Path) -> str:
    """Return `path` as it stands between quotes in SQL."""
    return str(path).replace("'", "''")
