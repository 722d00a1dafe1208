"""Records by number of their dimensions, rollups by hour and day, the archive, other sources."""

# Records name their dimensions by number instead of repeating them; rollups by hour for what is
# older than a few days; files of the archive; other sources than spools; what a boot left.
ARCHIVE = """
ALTER TABLE dimension_set ADD COLUMN source VARCHAR DEFAULT 'record';
ALTER TABLE dimension_set ALTER COLUMN source SET NOT NULL;

DROP VIEW usage_record;
ALTER TABLE usage_record_hot RENAME TO usage_record_wide;
CREATE TABLE usage_record_hot (
    record_id UUID NOT NULL,
    dimension_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    worker INTEGER,
    arrived_at_us BIGINT NOT NULL,
    queue_us BIGINT NOT NULL,
    compute_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    batch_id BIGINT,
    batch_size INTEGER NOT NULL,
    input_digest VARCHAR,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
    items INTEGER NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    client_region VARCHAR,
    parent_id UUID
);
INSERT INTO usage_record_hot
SELECT
    record_id, dimension_id, seq, worker, arrived_at_us, queue_us, compute_us, total_us, batch_id,
    batch_size, input_digest, request_bytes, response_bytes, items, input_tokens, output_tokens,
    client_region, parent_id
FROM usage_record_wide AS wide JOIN dimension_set AS known
    ON known.node_id = wide.node_id
    AND known.boot_id = wide.boot_id
    AND known.origin = wide.origin
    AND known.model IS NOT DISTINCT FROM wide.model
    AND known.model_version IS NOT DISTINCT FROM wide.model_version
    AND known.variant IS NOT DISTINCT FROM wide.variant
    AND known.tenant = wide.tenant
    AND known.labels = wide.labels
    AND known.priority = wide.priority
    AND known.pool = wide.pool
    AND known.cache = wide.cache
    AND known.status = wide.status
    AND known.error IS NOT DISTINCT FROM wide.error
    AND known.route = wide.route;

-- One row for each run of a node: what it left, and on what machine.
CREATE TABLE boot (
    node_id VARCHAR NOT NULL,
    boot_id UUID NOT NULL,
    records BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    seq_min BIGINT,
    seq_max BIGINT,
    first_arrival_us BIGINT,
    last_arrival_us BIGINT,
    first_sample_us BIGINT,
    last_sample_us BIGINT,
    records_dropped BIGINT,
    cloud VARCHAR,
    region VARCHAR,
    instance_type VARCHAR,
    purchase_option VARCHAR
);
INSERT INTO boot BY NAME
WITH recorded AS (
    SELECT
        node_id, boot_id,
        count(*) AS records,
        count(*) FILTER (route NOT IN ('cascade_attempt', 'shadow')) AS requests,
        min(seq) AS seq_min, max(seq) AS seq_max,
        min(arrived_at_us) AS first_arrival_us, max(arrived_at_us) AS last_arrival_us
    FROM usage_record_wide GROUP BY node_id, boot_id
), sampled AS (
    SELECT
        node_id, boot_id,
        count(*) AS samples,
        min(sampled_at_us - interval_us) AS first_sample_us, max(sampled_at_us) AS last_sample_us,
        max(records_dropped) AS records_dropped,
        arg_max(cloud, sampled_at_us) AS cloud, arg_max(region, sampled_at_us) AS region,
        arg_max(instance_type, sampled_at_us) AS instance_type,
        arg_max(purchase_option, sampled_at_us) AS purchase_option
    FROM node_sample GROUP BY node_id, boot_id
)
SELECT * REPLACE (
    coalesce(records, 0) AS records, coalesce(requests, 0) AS requests,
    coalesce(samples, 0) AS samples
)
FROM recorded FULL JOIN sampled USING (node_id, boot_id);
DROP TABLE usage_record_wide;

CREATE VIEW usage_record_live AS
SELECT
    record_id, node_id, boot_id, seq, origin, model, model_version, variant, tenant, labels,
    priority, pool, worker, arrived_at_us, queue_us, compute_us, total_us, batch_id, batch_size,
    cache, input_digest, request_bytes, response_bytes, items, input_tokens, output_tokens,
    client_region, status, error, route, parent_id
FROM usage_record_hot JOIN dimension_set USING (dimension_id);
CREATE VIEW usage_record AS FROM usage_record_live;

ALTER TABLE node_sample RENAME TO node_sample_hot;
CREATE VIEW node_sample AS FROM node_sample_hot;

-- gpu_uptime_us is how much of the uptime a GPU was measured for; queue_depth_us is queue depth x
-- uptime, loading_us workers that load a model x uptime; dropped counts facts the node dropped.
ALTER TABLE node_minute ADD COLUMN loading_us BIGINT DEFAULT 0;
ALTER TABLE node_minute ADD COLUMN queue_depth_us BIGINT DEFAULT 0;
ALTER TABLE node_minute ADD COLUMN gpu_uptime_us BIGINT DEFAULT 0;
ALTER TABLE node_minute ADD COLUMN gpu_busy_us DOUBLE DEFAULT 0;
ALTER TABLE node_minute ADD COLUMN gpu_energy_j DOUBLE DEFAULT 0;
ALTER TABLE node_minute ADD COLUMN gpu_memory_bytes_max BIGINT;
ALTER TABLE node_minute ADD COLUMN dropped BIGINT DEFAULT 0;
UPDATE node_minute AS known SET
    loading_us = cut.loading_us,
    queue_depth_us = cut.queue_depth_us,
    gpu_uptime_us = cut.gpu_uptime_us,
    gpu_busy_us = cut.gpu_busy_us,
    gpu_energy_j = cut.gpu_energy_j,
    gpu_memory_bytes_max = cut.gpu_memory_bytes_max,
    dropped = cut.dropped
FROM (
    SELECT
        minute_us, node_id, boot_id,
        sum(part_us * workers_loading)::BIGINT AS loading_us,
        sum(part_us * queue_depth)::BIGINT AS queue_depth_us,
        coalesce(sum(part_us) FILTER (gpu_utilization IS NOT NULL), 0)::BIGINT AS gpu_uptime_us,
        coalesce(sum(part_us * gpu_utilization), 0) AS gpu_busy_us,
        coalesce(sum(part_us * gpu_power_w) / 1e6, 0) AS gpu_energy_j,
        max(gpu_memory_bytes) AS gpu_memory_bytes_max,
        coalesce(sum(fresh_dropped) FILTER (sampled_at_us <= minute_us + 60000000), 0)::BIGINT
            AS dropped
    FROM (
        SELECT *,
            least(sampled_at_us, minute_us + 60000000)
                - greatest(sampled_at_us - interval_us, minute_us) AS part_us
        FROM (
            SELECT *,
                unnest(range(
                    (sampled_at_us - interval_us) // 60000000, (sampled_at_us - 1) // 60000000 + 1
                )) * 60000000 AS minute_us,
                greatest(0, records_dropped - lag(records_dropped, 1, 0) OVER (
                    PARTITION BY node_id, boot_id ORDER BY sampled_at_us
                )) AS fresh_dropped
            FROM node_sample_hot
        )
    )
    GROUP BY ALL
) AS cut
WHERE known.minute_us = cut.minute_us
    AND known.node_id = cut.node_id
    AND known.boot_id = cut.boot_id;

-- The minute rollups of older days, an hour a row. A worker's share of its machine is kept as the
-- reduced fraction share_uptime / share_capacity, so that costs stay what they were; it is null
-- where the machine time of the minute was never reported.
CREATE TABLE usage_hour (
    hour_us BIGINT NOT NULL,
    dimension_id INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    share_uptime BIGINT,
    share_capacity BIGINT,
    requests BIGINT NOT NULL,
    items BIGINT NOT NULL,
    item_us HUGEINT NOT NULL,
    queue_us BIGINT NOT NULL,
    compute_us BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL
);
CREATE TABLE latency_hour (
    hour_us BIGINT NOT NULL,
    dimension_id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    requests BIGINT NOT NULL
);
CREATE TABLE node_hour (
    hour_us BIGINT NOT NULL,
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
    memory_bytes_max BIGINT NOT NULL,
    loading_us BIGINT NOT NULL,
    queue_depth_us BIGINT NOT NULL,
    gpu_uptime_us BIGINT NOT NULL,
    gpu_busy_us DOUBLE NOT NULL,
    gpu_energy_j DOUBLE NOT NULL,
    gpu_memory_bytes_max BIGINT,
    dropped BIGINT NOT NULL
);

-- The same sums again, a day a row, for whoever asks in steps of days.
CREATE TABLE usage_day AS SELECT * RENAME (hour_us AS day_us) FROM usage_hour;
CREATE TABLE latency_day AS SELECT * RENAME (hour_us AS day_us) FROM latency_hour;
CREATE TABLE node_day AS SELECT * RENAME (hour_us AS day_us) FROM node_hour;

-- What queries read: minutes where they are kept, hours before. at_us is the beginning of either.
CREATE VIEW usage_rollup AS
SELECT
    minute_us AS at_us, dimension_id, batch_size,
    requests, items, item_us, queue_us, compute_us, total_us, request_bytes, response_bytes
FROM usage_minute
UNION ALL
SELECT
    hour_us, dimension_id, batch_size,
    requests, items, item_us, queue_us, compute_us, total_us, request_bytes, response_bytes
FROM usage_hour;

-- The worker time among it, with the share of its machine that a worker was.
CREATE VIEW busy_rollup AS
SELECT
    minute_us AS at_us, dimension_id, batch_size,
    uptime_us // gcd(uptime_us, capacity_us) AS share_uptime,
    capacity_us // gcd(uptime_us, capacity_us) AS share_capacity,
    requests, item_us
FROM usage_minute
JOIN (SELECT dimension_id, node_id, boot_id FROM dimension_set) USING (dimension_id)
LEFT JOIN (SELECT minute_us, node_id, boot_id, uptime_us, capacity_us FROM node_minute)
    USING (minute_us, node_id, boot_id)
WHERE item_us > 0
UNION ALL
SELECT
    hour_us, dimension_id, batch_size, share_uptime, share_capacity, requests, item_us
FROM usage_hour
WHERE item_us > 0;

CREATE VIEW latency_rollup AS
SELECT minute_us AS at_us, dimension_id, bucket, requests FROM latency_minute
UNION ALL
SELECT hour_us, dimension_id, bucket, requests FROM latency_hour;

CREATE VIEW node_rollup AS
SELECT * RENAME (minute_us AS at_us) FROM node_minute
UNION ALL BY NAME
SELECT * RENAME (hour_us AS at_us) FROM node_hour;

-- And minutes where they are kept, days before.
CREATE VIEW usage_daily AS
SELECT
    minute_us AS at_us, dimension_id, batch_size,
    requests, items, item_us, queue_us, compute_us, total_us, request_bytes, response_bytes
FROM usage_minute
UNION ALL
SELECT
    day_us, dimension_id, batch_size,
    requests, items, item_us, queue_us, compute_us, total_us, request_bytes, response_bytes
FROM usage_day;

CREATE VIEW busy_daily AS
SELECT
    minute_us AS at_us, dimension_id, batch_size,
    uptime_us // gcd(uptime_us, capacity_us) AS share_uptime,
    capacity_us // gcd(uptime_us, capacity_us) AS share_capacity,
    requests, item_us
FROM usage_minute
JOIN (SELECT dimension_id, node_id, boot_id FROM dimension_set) USING (dimension_id)
LEFT JOIN (SELECT minute_us, node_id, boot_id, uptime_us, capacity_us FROM node_minute)
    USING (minute_us, node_id, boot_id)
WHERE item_us > 0
UNION ALL
SELECT
    day_us, dimension_id, batch_size, share_uptime, share_capacity, requests, item_us
FROM usage_day
WHERE item_us > 0;

CREATE VIEW latency_daily AS
SELECT minute_us AS at_us, dimension_id, bucket, requests FROM latency_minute
UNION ALL
SELECT day_us, dimension_id, bucket, requests FROM latency_day;

CREATE VIEW node_daily AS
SELECT * RENAME (minute_us AS at_us) FROM node_minute
UNION ALL BY NAME
SELECT * RENAME (day_us AS at_us) FROM node_day;

-- Files of the archive, of kind usage or sample; path is relative to its folder. A file that is not
-- named here is not read. The views of records and samples unite them with what is hot.
CREATE TABLE archive_file (
    kind VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    day_us BIGINT NOT NULL,
    facts BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    archived_at_us BIGINT NOT NULL
);

-- The folder that the views name; another one when the database was moved. Facts before
-- kept_from_us were deleted: rollups are all there is of them.
CREATE TABLE archive_state (folder VARCHAR NOT NULL, kept_from_us BIGINT NOT NULL);
INSERT INTO archive_state VALUES ('', 0);

-- How far each source other than a spool was read.
CREATE TABLE source_position (
    source VARCHAR NOT NULL,
    position BIGINT NOT NULL
);

-- How the collector fares, by minute of commit: counts, the longest delay from arrival to commit,
-- the longest wait for the lock of the file, the time that the file was held.
CREATE TABLE commit_minute (
    minute_us BIGINT NOT NULL,
    commits BIGINT NOT NULL,
    records BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    lag_us_max BIGINT,
    lock_wait_us BIGINT NOT NULL,
    lock_wait_us_max BIGINT NOT NULL,
    held_us BIGINT NOT NULL
);
"""
