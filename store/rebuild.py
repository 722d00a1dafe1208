"""Rollups from raw facts, and a whole database from its archive."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from store.archive import ArchiveFile, describe, files_on_disk, register_files, write_once
from store.archive_views import KINDS, archive_folder
from store.compaction import COARSER, fold_within, latency_by, usage_by
from store.database import WAIT_S, open_writer
from store.errors import DatabaseUnusableError, StoreError
from store.latency_histogram import BUCKET_SQL
from store.line_sql import KEY_FIELDS
from store.period import DAY_US, MINUTE_US
from store.rollup_sql import ALL_RECORDS, DIMENSIONS, boots, node_minutes
from store.schema import transaction
from usage.record import ON_BEHALF

Progress = Callable[[str], None]

_NAMES = ", ".join(KEY_FIELDS)
_SAME = " AND ".join(f"known.{name} IS NOT DISTINCT FROM fresh.{name}" for name in DIMENSIONS)
_REQUEST = f"(route NOT IN ({', '.join(repr(route) for route in sorted(ON_BEHALF))}))::INTEGER"

_OF_RECORDS = "dimension_id IN (SELECT dimension_id FROM dimension_set WHERE source = 'record')"
FORGET = (
    *(
        f"DELETE FROM {table}_{step} WHERE {step}_us >= $from AND {_OF_RECORDS}"
        for table in ("usage", "latency")
        for step in ("minute", "hour", "day")
    ),
    *(f"DELETE FROM node_{step} WHERE {step}_us >= $from" for step in ("minute", "hour", "day")),
)

# Made day by day beside the tables they take the place of, since nothing is let go of within a
# transaction: neither memory nor disk.
PREFIX = "rebuilt_"
KINDS_ROLLED = ("usage", "latency", "node")
STEPS = ("minute", "hour", "day")
MAKE_ROOM = tuple(
    f"CREATE OR REPLACE TABLE {PREFIX}{kind}_{step} AS FROM {kind}_{step} LIMIT 0"
    for kind in KINDS_ROLLED
    for step in STEPS
)
# Of all samples at once: a sample may begin on the day before, and dropped facts are counted from
# one to the next.
ALL_SAMPLES = f"INSERT INTO {PREFIX}node_minute BY NAME {node_minutes('known_sample', '0')}"

ONE_DAY = (
    f"""
    CREATE OR REPLACE TEMP TABLE fresh_usage AS
    SELECT *, 'record' AS source,
        arrived_at_us - arrived_at_us % {MINUTE_US} AS minute_us,
        {_REQUEST} AS request
    FROM usage_record WHERE arrived_at_us >= $from AND arrived_at_us < $to
    """,
    f"""
    INSERT INTO dimension_set BY NAME
    SELECT nextval('dimension_number') AS dimension_id, {_NAMES}, source
    FROM (SELECT DISTINCT {_NAMES}, source FROM fresh_usage) AS fresh
    WHERE NOT EXISTS (FROM dimension_set AS known WHERE {_SAME})
    """,
    f"""
    CREATE OR REPLACE TEMP TABLE numbered_usage AS
    SELECT fresh.*, known.dimension_id
    FROM fresh_usage AS fresh JOIN dimension_set AS known ON {_SAME}
    """,
    f"""
    INSERT INTO {PREFIX}usage_minute BY NAME
    SELECT
        minute_us, dimension_id, batch_size,
        sum(request)::BIGINT AS requests,
        sum(items * request)::BIGINT AS items,
        sum(compute_us::HUGEINT * items) AS item_us,
        sum(queue_us * request)::BIGINT AS queue_us,
        sum(compute_us)::BIGINT AS compute_us,
        sum(total_us * request)::BIGINT AS total_us,
        sum(request_bytes * request)::BIGINT AS request_bytes,
        sum(response_bytes * request)::BIGINT AS response_bytes,
        coalesce(sum(input_tokens * request), 0)::BIGINT AS input_tokens,
        coalesce(sum(output_tokens * request), 0)::BIGINT AS output_tokens
    FROM numbered_usage GROUP BY ALL ORDER BY minute_us
    """,
    f"""
    INSERT INTO {PREFIX}latency_minute BY NAME
    SELECT
        minute_us, dimension_id,
        {BUCKET_SQL.format(us="total_us")} AS bucket,
        count(*) AS requests
    FROM numbered_usage WHERE request = 1 GROUP BY ALL ORDER BY minute_us
    """,
    *(usage_by(*length, PREFIX) for length in COARSER),
    *(latency_by(*length, PREFIX) for length in COARSER),
    f"DELETE FROM {PREFIX}usage_minute WHERE minute_us < $before",
    f"DELETE FROM {PREFIX}latency_minute WHERE minute_us < $before",
)

TAKE_PLACE = tuple(
    statement
    for kind in KINDS_ROLLED
    for step in STEPS
    for statement in (
        f"INSERT INTO {kind}_{step} BY NAME FROM {PREFIX}{kind}_{step}",
        f"DROP TABLE {PREFIX}{kind}_{step}",
    )
)

_ALL_BOOTS = boots(
    ALL_RECORDS,
    "(SELECT *, at_us AS minute_us FROM usage_rollup JOIN dimension_set USING (dimension_id))",
    "node_sample",
)
BOOTS = f"INSERT INTO boot BY NAME {_ALL_BOOTS}"


def rebuild_rollups(
    path: Path, fold_before_us: int, *, progress: Progress = lambda _: None, wait_s: float = WAIT_S
) -> int:
    """Make every rollup anew from the raw facts that are kept; return how many records they hold.

    Minutes before `fold_before_us` become hours and days. Sums of facts that were deleted, and
    those of sources that count without records, stay as they are. Readers wait until it is done;
    what is cut off leaves the rollups as they were. Raises StoreErrors.
    """
    with open_writer(path, wait_s=wait_s) as connection:
        return _rebuild(connection, fold_before_us, progress)


def rebuild_database(
    path: Path, fold_before_us: int, *, now_us: int, progress: Progress = lambda _: None
) -> int:
    """Make the database `path`, which must not exist, from the archive beside it; return records.

    What a spool still holds is to be collected after that. Raises StoreErrors.
    """
    if path.exists():
        raise DatabaseUnusableError(f"{path}: exists; move it away first")
    folder = archive_folder(path)
    try:
        with open_writer(path) as connection:
            files = _files(connection, folder)
            with transaction(connection):
                register_files(connection, path, files, now_us)
            records = _rebuild(connection, fold_before_us, progress)
            connection.execute(
                "UPDATE store_state SET commits = commits + 1, committed_at_us = ?", [now_us]
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return records


def _files(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[ArchiveFile]:
    """Return files that hold every archived fact once, made where there are several of a day.

    A maintenance that was killed may have left a file that no database names: one that holds what
    others hold, too.
    """
    files = []
    for kind in KINDS:
        of_days: dict[int, list[ArchiveFile]] = {}
        for file in files_on_disk(folder, kind):
            try:
                found = describe(connection, folder, kind, file)
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise StoreError(f"{file}: cannot be read: {reason}; move it away") from error
            of_days.setdefault(found.day_us, []).append(found)
        for day_us, found_of_day in of_days.items():
            if len(found_of_day) == 1:
                files += found_of_day
            else:
                paths = [file.path for file in found_of_day]
                files.append(write_once(connection, folder, kind, paths, day_us))
    if not files:
        raise StoreError(f"{folder}: no file of an archive there")
    return files


def _rebuild(connection: duckdb.DuckDBPyConnection, fold_before_us: int, progress: Progress) -> int:
    [(kept_from_us,)] = connection.execute("SELECT kept_from_us FROM archive_state").fetchall()
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW known_sample AS FROM node_sample "
        f"WHERE sampled_at_us - interval_us >= {kept_from_us}"
    )
    for statement in (*MAKE_ROOM, ALL_SAMPLES):
        connection.execute(statement)
    done = 0
    for day_us, records in _days(connection, kept_from_us):
        bound = {"from": day_us, "to": day_us + DAY_US, "before": fold_before_us}
        for statement in ONE_DAY:
            named = {name: value for name, value in bound.items() if f"${name}" in statement}
            connection.execute(statement, named)
        done += records
        progress(f"{done} records")
    with transaction(connection):
        for statement in FORGET:
            connection.execute(statement, {"from": kept_from_us})
        for statement in TAKE_PLACE:
            connection.execute(statement)
        # What is left to fold is machine time, and sums of sources that count without records.
        fold_within(connection, fold_before_us)
        if kept_from_us == 0:
            connection.execute("DELETE FROM boot")
            connection.execute(BOOTS)
    return done


def _days(connection: duckdb.DuckDBPyConnection, from_us: int) -> list[tuple[int, int]]:
    """Return (beginning, records) of every day from `from_us` on that has records."""
    return connection.execute(
        f"""
        SELECT arrived_at_us // {DAY_US} * {DAY_US} AS day_us, count(*) FROM usage_record
        WHERE arrived_at_us >= ? GROUP BY day_us ORDER BY day_us
        """,
        [from_us],
    ).fetchall()
