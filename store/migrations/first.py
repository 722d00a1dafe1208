"""The first tables."""

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
