"""The one way into the database: a batch of facts, its rollups and its positions in one commit."""

from dataclasses import astuple
from pathlib import Path

import duckdb

from store.batch import Advance, Batch
from store.database import WAIT_S, open_writer
from store.errors import StoreError
from store.latency_histogram import BUCKET_SQL
from store.period import MINUTE_US
from usage import Position
from usage.record import ON_BEHALF

DIMENSIONS = (
    "node_id",
    "boot_id",
    "origin",
    "model",
    "model_version",
    "variant",
    "tenant",
    "labels",
    "priority",
    "pool",
    "cache",
    "status",
    "error",
    "route",
)

_NAMES = ", ".join(DIMENSIONS)
_SAME = " AND ".join(f"known.{name} IS NOT DISTINCT FROM fresh.{name}" for name in DIMENSIONS)

# 1 for a request, 0 for what was executed on behalf of one: the one place where they part. Every
# figure of requests is a sum over these rollups.
_REQUEST = f"(route NOT IN ({', '.join(repr(route) for route in sorted(ON_BEHALF))}))::INTEGER"

ADD_DIMENSIONS = f"""
INSERT INTO dimension_set
SELECT nextval('dimension_number'), {_NAMES}
FROM (SELECT DISTINCT {_NAMES} FROM fresh_usage) AS fresh
WHERE NOT EXISTS (FROM dimension_set AS known WHERE {_SAME})
"""

ADD_USAGE_MINUTES = f"""
MERGE INTO usage_minute AS known
USING (
    SELECT
        arrived_at_us - arrived_at_us % {MINUTE_US} AS minute_us,
        known.dimension_id,
        batch_size,
        sum(request)::BIGINT AS requests,
        sum(items * request)::BIGINT AS items,
        sum(compute_us::HUGEINT * items) AS item_us,
        sum(queue_us * request)::BIGINT AS queue_us,
        sum(compute_us)::BIGINT AS compute_us,
        sum(total_us * request)::BIGINT AS total_us,
        sum(request_bytes * request)::BIGINT AS request_bytes,
        sum(response_bytes * request)::BIGINT AS response_bytes
    FROM (SELECT *, {_REQUEST} AS request FROM fresh_usage) AS fresh
    JOIN dimension_set AS known ON {_SAME}
    GROUP BY ALL
) AS fresh
ON known.minute_us = fresh.minute_us
    AND known.dimension_id = fresh.dimension_id
    AND known.batch_size = fresh.batch_size
WHEN MATCHED THEN UPDATE SET
    requests = known.requests + fresh.requests,
    items = known.items + fresh.items,
    item_us = known.item_us + fresh.item_us,
    queue_us = known.queue_us + fresh.queue_us,
    compute_us = known.compute_us + fresh.compute_us,
    total_us = known.total_us + fresh.total_us,
    request_bytes = known.request_bytes + fresh.request_bytes,
    response_bytes = known.response_bytes + fresh.response_bytes
WHEN NOT MATCHED THEN INSERT BY NAME
"""

ADD_LATENCY_MINUTES = f"""
MERGE INTO latency_minute AS known
USING (
    SELECT
        arrived_at_us - arrived_at_us % {MINUTE_US} AS minute_us,
        known.dimension_id,
        {BUCKET_SQL.format(us="total_us")} AS bucket,
        count(*) AS requests
    FROM (FROM fresh_usage WHERE {_REQUEST} = 1) AS fresh
    JOIN dimension_set AS known ON {_SAME}
    GROUP BY ALL
) AS fresh
ON known.minute_us = fresh.minute_us
    AND known.dimension_id = fresh.dimension_id
    AND known.bucket = fresh.bucket
WHEN MATCHED THEN UPDATE SET requests = known.requests + fresh.requests
WHEN NOT MATCHED THEN INSERT BY NAME
"""

# A sample is cut at minute boundaries. Busy time is cut in proportion by the difference of two
# rounded-down running totals, so the pieces always sum to the whole.
ADD_NODE_MINUTES = f"""
MERGE INTO node_minute AS known
USING (
    WITH span AS (
        SELECT *, sampled_at_us - interval_us AS from_us FROM fresh_samples
    ), cut AS (
        SELECT *, unnest(range(from_us // {MINUTE_US}, (sampled_at_us - 1) // {MINUTE_US} + 1))
            * {MINUTE_US} AS minute_us
        FROM span
    ), piece AS (
        SELECT *,
            greatest(from_us, minute_us) - from_us AS begin_us,
            least(sampled_at_us, minute_us + {MINUTE_US}) - from_us AS end_us
        FROM cut
    )
    SELECT
        minute_us,
        node_id,
        boot_id,
        any_value(cloud) AS cloud,
        any_value(region) AS region,
        any_value(instance_type) AS instance_type,
        any_value(purchase_option) AS purchase_option,
        sum(end_us - begin_us)::BIGINT AS uptime_us,
        sum((end_us - begin_us) * workers_ready)::BIGINT AS capacity_us,
        sum(busy_us::HUGEINT * end_us // interval_us - busy_us::HUGEINT * begin_us // interval_us)
            ::BIGINT AS busy_us,
        sum((end_us - begin_us) * cpu_utilization) AS cpu_busy_us,
        max(queue_depth) AS queue_depth_max,
        max(memory_bytes) AS memory_bytes_max
    FROM piece
    GROUP BY minute_us, node_id, boot_id
) AS fresh
ON known.minute_us = fresh.minute_us
    AND known.node_id = fresh.node_id
    AND known.boot_id = fresh.boot_id
WHEN MATCHED THEN UPDATE SET
    uptime_us = known.uptime_us + fresh.uptime_us,
    capacity_us = known.capacity_us + fresh.capacity_us,
    busy_us = known.busy_us + fresh.busy_us,
    cpu_busy_us = known.cpu_busy_us + fresh.cpu_busy_us,
    queue_depth_max = greatest(known.queue_depth_max, fresh.queue_depth_max),
    memory_bytes_max = greatest(known.memory_bytes_max, fresh.memory_bytes_max)
WHEN NOT MATCHED THEN INSERT BY NAME
"""


class PositionConflictError(StoreError):
    """The spool was stored further than this batch assumes; read the positions again."""


def read_positions(path: Path) -> dict[tuple[str, str], Position]:
    """Return how far each (node_id, boot_id) is stored; the file is created if needed."""
    with open_writer(path) as connection:
        rows = connection.execute("FROM spool_position").fetchall()
    return {(node, boot): Position(segment, offset) for node, boot, segment, offset in rows}


def commit(path: Path, batch: Batch, *, now_us: int, wait_s: float = WAIT_S) -> None:
    """Store `batch` whole or not at all; `now_us` is the time of the commit.

    Raises PositionConflictError when another collector stored some of it already, and the errors
    of `open_writer`. The file is locked for the transaction only: rows are prepared before.
    """
    usage, samples = batch.usage_table(), batch.sample_table()
    with open_writer(path, wait_s=wait_s) as connection:
        connection.execute("BEGIN")
        try:
            for advance in batch.advances:
                _advance(connection, advance)
            if usage.num_rows:
                _add_usage(connection, usage)
            if samples.num_rows:
                _add_samples(connection, samples)
            if batch.rejected:
                connection.executemany(
                    "INSERT INTO rejected_line VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(*astuple(line), now_us) for line in batch.rejected],
                )
            connection.execute(
                "UPDATE store_state SET commits = commits + 1, committed_at_us = ?", [now_us]
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _advance(connection: duckdb.DuckDBPyConnection, advance: Advance) -> None:
    key = [advance.node_id, advance.boot_id]
    rows = connection.execute(
        "SELECT segment, byte_offset FROM spool_position WHERE node_id = ? AND boot_id = ?", key
    ).fetchall()
    stored = Position(*rows[0]) if rows else Position()
    # A reader that moved on to the next segment starts there, past the end of the last one.
    same = stored == advance.start
    moved_on = advance.start.segment > stored.segment and advance.start.offset == 0
    if not same and not moved_on:
        raise PositionConflictError(
            f"spool {advance.node_id}/{advance.boot_id}: stored up to {stored}, "
            f"this batch begins at {advance.start}"
        )
    end = [advance.end.segment, advance.end.offset]
    if rows:
        connection.execute(
            "UPDATE spool_position SET segment = ?, byte_offset = ? "
            "WHERE node_id = ? AND boot_id = ?",
            [*end, *key],
        )
    else:
        connection.execute("INSERT INTO spool_position VALUES (?, ?, ?, ?)", [*key, *end])


def _add_usage(connection: duckdb.DuckDBPyConnection, usage: object) -> None:
    connection.register("arrow_usage", usage)
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh_usage AS FROM usage_record_hot LIMIT 0")
    connection.execute("INSERT INTO fresh_usage BY NAME FROM arrow_usage")
    connection.execute("INSERT INTO usage_record_hot FROM fresh_usage")
    connection.execute(ADD_DIMENSIONS)
    connection.execute(ADD_USAGE_MINUTES)
    connection.execute(ADD_LATENCY_MINUTES)
    connection.unregister("arrow_usage")


def _add_samples(connection: duckdb.DuckDBPyConnection, samples: object) -> None:
    connection.register("arrow_samples", samples)
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh_samples AS FROM node_sample LIMIT 0")
    connection.execute("INSERT INTO fresh_samples BY NAME FROM arrow_samples")
    connection.execute("INSERT INTO node_sample FROM fresh_samples")
    connection.execute(ADD_NODE_MINUTES)
    connection.unregister("arrow_samples")
