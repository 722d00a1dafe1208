"""The tables in which facts wait for their commit, and how they are added up there."""

import pyarrow as pa

from store.latency_histogram import BUCKET_SQL
from store.line_sql import KEY_FIELDS
from store.period import MINUTE_US
from usage.record import ON_BEHALF

MEASURES = pa.schema(
    [
        ("record_id", pa.string()),
        ("seq", pa.int64()),
        ("worker", pa.int64()),
        ("arrived_at_us", pa.int64()),
        ("queue_us", pa.int64()),
        ("compute_us", pa.int64()),
        ("total_us", pa.int64()),
        ("batch_id", pa.int64()),
        ("batch_size", pa.int64()),
        ("input_digest", pa.string()),
        ("request_bytes", pa.int64()),
        ("response_bytes", pa.int64()),
        ("items", pa.int64()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("client_region", pa.string()),
        ("parent_id", pa.string()),
    ]
)
REJECTED = pa.schema(
    [
        ("node_id", pa.string()),
        ("boot_id", pa.string()),
        ("segment", pa.int64()),
        ("byte_offset", pa.int64()),
        ("reason", pa.string()),
        ("line", pa.string()),
        ("rejected_at_us", pa.int64()),
    ]
)
DIMENSION = pa.schema(
    [
        ("local_id", pa.int32()),
        ("node_id", pa.string()),
        ("boot_id", pa.string()),
        ("origin", pa.string()),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("variant", pa.string()),
        ("tenant", pa.string()),
        ("labels", pa.map_(pa.string(), pa.string())),
        ("priority", pa.string()),
        ("pool", pa.string()),
        ("cache", pa.string()),
        ("status", pa.int16()),
        ("error", pa.string()),
        ("route", pa.string()),
        ("source", pa.string()),
    ]
)

# What stays known from commit to commit.
KNOWN_TABLES = f"""
CREATE TABLE dimension (
    local_id INTEGER NOT NULL,
    node_id VARCHAR NOT NULL,
    boot_id UUID NOT NULL,
    origin VARCHAR NOT NULL,
    model VARCHAR,
    model_version VARCHAR,
    variant VARCHAR,
    tenant VARCHAR NOT NULL,
    labels MAP(VARCHAR, VARCHAR) NOT NULL,
    priority VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    cache VARCHAR NOT NULL,
    status SMALLINT NOT NULL,
    error VARCHAR,
    route VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);
CREATE TABLE dimension_key (
    local_id INTEGER NOT NULL,
    {", ".join(f"{name} {'BIGINT' if name == 'status' else 'VARCHAR'}" for name in KEY_FIELDS)}
);
CREATE TABLE folder (folder INTEGER NOT NULL, node VARCHAR NOT NULL, boot VARCHAR NOT NULL);
"""
# Emptied by being made anew, which frees their memory at once; TRUNCATE frees it some time later.
EMPTY_TABLES = """
CREATE OR REPLACE TABLE memory.staged_usage (
    number BIGINT,
    local_id INTEGER,
    record_id UUID,
    seq BIGINT,
    worker BIGINT,
    arrived_at_us BIGINT,
    queue_us BIGINT,
    compute_us BIGINT,
    total_us BIGINT,
    batch_id BIGINT,
    batch_size BIGINT,
    input_digest VARCHAR,
    request_bytes BIGINT,
    response_bytes BIGINT,
    items BIGINT,
    input_tokens BIGINT,
    output_tokens BIGINT,
    client_region VARCHAR,
    parent_id UUID
);
CREATE OR REPLACE TABLE memory.staged_sample (
    node_id VARCHAR,
    boot_id UUID,
    sampled_at_us BIGINT,
    interval_us BIGINT,
    cloud VARCHAR,
    region VARCHAR,
    instance_type VARCHAR,
    purchase_option VARCHAR,
    workers_ready INTEGER,
    workers_loading INTEGER,
    busy_us BIGINT,
    cpu_utilization DOUBLE,
    memory_bytes BIGINT,
    gpu_utilization DOUBLE,
    gpu_memory_bytes BIGINT,
    gpu_power_w DOUBLE,
    queue_depth INTEGER,
    records_dropped BIGINT
);
CREATE OR REPLACE TABLE memory.staged_minute (
    minute_us BIGINT,
    local_id INTEGER,
    batch_size BIGINT,
    requests BIGINT,
    items BIGINT,
    item_us HUGEINT,
    queue_us BIGINT,
    compute_us BIGINT,
    total_us BIGINT,
    request_bytes BIGINT,
    response_bytes BIGINT,
    input_tokens BIGINT,
    output_tokens BIGINT
);
CREATE OR REPLACE TABLE memory.staged_latency (
    minute_us BIGINT,
    local_id INTEGER,
    bucket SMALLINT,
    requests BIGINT
);
"""

# 1 for a request, 0 for what was executed on behalf of one: the one place where they part. Every
# figure of requests is a sum over the rollups.
_REQUEST = f"(route NOT IN ({', '.join(repr(route) for route in sorted(ON_BEHALF))}))::INTEGER"
_MINUTE = f"arrived_at_us - arrived_at_us % {MINUTE_US}"

SUM_MINUTES = f"""
INSERT INTO memory.staged_minute
SELECT
    minute_us, local_id, batch_size, requests * request, items * request, item_us,
    queue_us * request, compute_us, total_us * request, request_bytes * request,
    response_bytes * request, input_tokens * request, output_tokens * request
FROM (
    SELECT
        {_MINUTE} AS minute_us,
        local_id,
        batch_size,
        count(*) AS requests,
        sum(items)::BIGINT AS items,
        sum(compute_us::HUGEINT * items) AS item_us,
        sum(queue_us)::BIGINT AS queue_us,
        sum(compute_us)::BIGINT AS compute_us,
        sum(total_us)::BIGINT AS total_us,
        sum(request_bytes)::BIGINT AS request_bytes,
        sum(response_bytes)::BIGINT AS response_bytes,
        coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens,
        coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens
    FROM memory.staged_usage
    GROUP BY ALL
) JOIN (SELECT local_id, {_REQUEST} AS request FROM memory.dimension) USING (local_id)
"""

SUM_LATENCIES = f"""
INSERT INTO memory.staged_latency
SELECT minute_us, local_id, bucket, requests
FROM (
    SELECT
        {_MINUTE} AS minute_us,
        local_id,
        {BUCKET_SQL.format(us="total_us")} AS bucket,
        count(*) AS requests
    FROM memory.staged_usage
    GROUP BY ALL
) JOIN (SELECT local_id FROM memory.dimension WHERE {_REQUEST} = 1) USING (local_id)
"""
