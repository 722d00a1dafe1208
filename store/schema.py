"""The tables, and how an older file becomes a current one.

Readers outside the product may rely on `usage_record`, `node_sample` and `rejected_line`; every
other table is the product's own and may change with a migration.
"""

from pathlib import Path

import duckdb

from store.errors import DatabaseUnusableError

FIRST = """
CREATE TABLE usage_record_hot (
    record_id UUID NOT NULL,
    node_id VARCHAR NOT NULL,
    boot_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    origin VARCHAR NOT NULL,
    model VARCHAR,
    model_version VARCHAR,
    variant VARCHAR,
    tenant VARCHAR NOT NULL,
    labels MAP(VARCHAR, VARCHAR) NOT NULL,
    priority VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    worker INTEGER,
    arrived_at_us BIGINT NOT NULL,
    queue_us BIGINT NOT NULL,
    compute_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    batch_id BIGINT,
    batch_size INTEGER NOT NULL,
    cache VARCHAR NOT NULL,
    input_digest VARCHAR,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    items INTEGER NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    client_region VARCHAR,
    status SMALLINT NOT NULL,
    error VARCHAR
);

CREATE VIEW usage_record AS FROM usage_record_hot;

CREATE TABLE node_sample (
    node_id VARCHAR NOT NULL,
    boot_id UUID NOT NULL,
    sampled_at_us BIGINT NOT NULL,
    interval_us BIGINT NOT NULL,
    cloud VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    instance_type VARCHAR NOT NULL,
    purchase_option VARCHAR NOT NULL,
    workers_ready INTEGER NOT NULL,
    workers_loading INTEGER NOT NULL,
    busy_us BIGINT NOT NULL,
    cpu_utilization DOUBLE NOT NULL,
    memory_bytes BIGINT NOT NULL,
    gpu_utilization DOUBLE,
    gpu_memory_bytes BIGINT,
    gpu_power_w DOUBLE,
    queue_depth INTEGER NOT NULL,
    records_dropped BIGINT NOT NULL
);

CREATE TABLE rejected_line (
    node_id VARCHAR NOT NULL,
    boot_id VARCHAR NOT NULL,
    segment INTEGER NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    line VARCHAR NOT NULL,
    rejected_at_us BIGINT NOT NULL
);

-- How far each boot's spool is stored: written in the transaction that stores the rows.
CREATE TABLE spool_position (
    node_id VARCHAR NOT NULL,
    boot_id VARCHAR NOT NULL,
    segment INTEGER NOT NULL,
    byte_offset BIGINT NOT NULL
);

-- One row; the number of commits tells a reader whether anything is new.
CREATE TABLE store_state (
    commits BIGINT NOT NULL,
    committed_at_us BIGINT NOT NULL
);
INSERT INTO store_state VALUES (0, 0);

-- What the rollups are kept by, once for each combination that occurs.
CREATE SEQUENCE dimension_number;
CREATE TABLE dimension_set (
    dimension_id INTEGER NOT NULL,
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
    error VARCHAR
);

-- Additive counts and sums by minute of arrival. item_us is the sum of compute_us x items: divided
-- by batch_size it is the worker time that the requests own.
CREATE TABLE usage_minute (
    minute_us BIGINT NOT NULL,
    dimension_id INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    requests BIGINT NOT NULL,
    items BIGINT NOT NULL,
    item_us HUGEINT NOT NULL,
    queue_us BIGINT NOT NULL,
    compute_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL
);

-- Requests by total_us in the buckets of store/latency_histogram.py.
CREATE TABLE latency_minute (
    minute_us BIGINT NOT NULL,
    dimension_id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    requests BIGINT NOT NULL
);

-- Node samples cut at minute boundaries. capacity_us is uptime x workers ready; cpu_busy_us is
-- uptime x CPU utilisation of the whole machine.
CREATE TABLE node_minute (
    minute_us BIGINT NOT NULL,
    node_id VARCHAR NOT NULL,
    boot_id UUID NOT NULL,
    cloud VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    instance_type VARCHAR NOT NULL,
    purchase_option VARCHAR NOT NULL,
    uptime_us BIGINT NOT NULL,
    capacity_us BIGINT NOT NULL,
    busy_us BIGINT NOT NULL,
    cpu_busy_us DOUBLE NOT NULL,
    queue_depth_max INTEGER NOT NULL,
    memory_bytes_max BIGINT NOT NULL
);
"""

# How a version came to execute, and for which other request. What is executed on behalf of another
# one is no request: it stands in usage_minute with requests 0 and only item_us and compute_us of
# its own, and not at all in latency_minute.
ROUTES = """
ALTER TABLE usage_record_hot ADD COLUMN route VARCHAR DEFAULT 'direct';
ALTER TABLE usage_record_hot ALTER COLUMN route SET NOT NULL;
ALTER TABLE usage_record_hot ADD COLUMN parent_id UUID;
CREATE OR REPLACE VIEW usage_record AS FROM usage_record_hot;
ALTER TABLE dimension_set ADD COLUMN route VARCHAR DEFAULT 'direct';
ALTER TABLE dimension_set ALTER COLUMN route SET NOT NULL;
"""

MIGRATIONS = (FIRST, ROUTES)


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the file to the newest version, each step and its record in one transaction.

    Raises DatabaseUnusableError when the file is newer than this program.
    """
    version = require_known_version(connection, path)
    for number in range(version + 1, len(MIGRATIONS) + 1):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER NOT NULL)")
            cursor.execute(MIGRATIONS[number - 1])
            cursor.execute("INSERT INTO schema_migration VALUES (?)", [number])
            cursor.execute("COMMIT")


def require_known_version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the version of the file, 0 when it is empty.

    Raises DatabaseUnusableError when the file is newer than this program, or somebody else's.
    """
    tables = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    if not tables:
        return 0
    if "schema_migration" not in tables:
        raise DatabaseUnusableError(f"{path}: a database, but none of this product's")
    [(version,)] = connection.execute(
        "SELECT coalesce(max(version), 0) FROM schema_migration"
    ).fetchall()
    if version > len(MIGRATIONS):
        raise DatabaseUnusableError(
            f"{path}: schema version {version} is newer than this program's {len(MIGRATIONS)}; "
            "use the version of the product that wrote it, or a later one"
        )
    return int(version)
