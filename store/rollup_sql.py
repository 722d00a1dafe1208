"""From staged facts to the tables of the file: one statement for each, run in one transaction.

The file is the current database; staged facts are in catalog `memory` (store/staging.py).
"""

from store.line_sql import KEY_FIELDS
from store.period import MINUTE_US

DIMENSIONS = (*KEY_FIELDS, "source")
_NAMES = ", ".join(DIMENSIONS)
_SAME = " AND ".join(f"known.{name} IS NOT DISTINCT FROM fresh.{name}" for name in DIMENSIONS)

# The combinations that occur among the staged facts.
OCCURRING = """
CREATE OR REPLACE TEMP TABLE occurring AS
FROM memory.dimension SEMI JOIN (
    SELECT local_id FROM memory.staged_usage
    UNION ALL SELECT local_id FROM memory.staged_minute
    UNION ALL SELECT local_id FROM memory.staged_latency
) USING (local_id)
"""

ADD_DIMENSIONS = f"""
INSERT INTO dimension_set BY NAME
SELECT nextval('dimension_number') AS dimension_id, {_NAMES}
FROM occurring AS fresh
WHERE NOT EXISTS (FROM dimension_set AS known WHERE {_SAME})
"""

NUMBER_DIMENSIONS = f"""
CREATE OR REPLACE TEMP TABLE numbered AS
SELECT fresh.local_id, known.dimension_id, fresh.node_id, fresh.boot_id, fresh.origin
FROM occurring AS fresh JOIN dimension_set AS known ON {_SAME}
"""

ADD_RECORDS = """
INSERT INTO usage_record_hot BY NAME
SELECT dimension_id, staged.* EXCLUDE (number, local_id)
FROM memory.staged_usage AS staged JOIN numbered USING (local_id)
"""

ADD_USAGE_MINUTES = """
MERGE INTO usage_minute AS known
USING (
    SELECT
        minute_us, dimension_id, batch_size,
        sum(requests)::BIGINT AS requests,
        sum(items)::BIGINT AS items,
        sum(item_us) AS item_us,
        sum(queue_us)::BIGINT AS queue_us,
        sum(compute_us)::BIGINT AS compute_us,
        sum(total_us)::BIGINT AS total_us,
        sum(request_bytes)::BIGINT AS request_bytes,
        sum(response_bytes)::BIGINT AS response_bytes,
        sum(input_tokens)::BIGINT AS input_tokens,
        sum(output_tokens)::BIGINT AS output_tokens
    FROM memory.staged_minute JOIN numbered USING (local_id)
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
    response_bytes = known.response_bytes + fresh.response_bytes,
    input_tokens = known.input_tokens + fresh.input_tokens,
    output_tokens = known.output_tokens + fresh.output_tokens
WHEN NOT MATCHED THEN INSERT BY NAME
"""

ADD_LATENCY_MINUTES = """
MERGE INTO latency_minute AS known
USING (
    SELECT minute_us, dimension_id, bucket, sum(requests)::BIGINT AS requests
    FROM memory.staged_latency JOIN numbered USING (local_id)
    GROUP BY ALL
) AS fresh
ON known.minute_us = fresh.minute_us
    AND known.dimension_id = fresh.dimension_id
    AND known.bucket = fresh.bucket
WHEN MATCHED THEN UPDATE SET requests = known.requests + fresh.requests
WHEN NOT MATCHED THEN INSERT BY NAME
"""

ADD_SAMPLES = "INSERT INTO node_sample_hot BY NAME FROM memory.staged_sample"


def node_minutes(samples: str, dropped_before: str) -> str:
    """Return the query that cuts the rows of `samples` at minute boundaries and adds them up.

    Busy time is cut in proportion by the difference of two rounded-down running totals, so the
    pieces always sum to the whole. `records_dropped` counts from the start of the boot;
    `dropped_before` is its value before the first of the samples.
    """
    return f"""
    WITH span AS (
        SELECT *,
            sampled_at_us - interval_us AS from_us,
            greatest(0, records_dropped - lag(records_dropped, 1, {dropped_before}) OVER (
                PARTITION BY node_id, boot_id ORDER BY sampled_at_us
            )) AS fresh_dropped
        FROM {samples}
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
        max(memory_bytes) AS memory_bytes_max,
        sum((end_us - begin_us) * workers_loading)::BIGINT AS loading_us,
        sum((end_us - begin_us) * queue_depth)::BIGINT AS queue_depth_us,
        coalesce(sum(end_us - begin_us) FILTER (gpu_utilization IS NOT NULL), 0)::BIGINT
            AS gpu_uptime_us,
        coalesce(sum((end_us - begin_us) * gpu_utilization), 0) AS gpu_busy_us,
        coalesce(sum((end_us - begin_us) * gpu_power_w) / 1e6, 0) AS gpu_energy_j,
        max(gpu_memory_bytes) AS gpu_memory_bytes_max,
        coalesce(sum(fresh_dropped) FILTER (end_us = interval_us), 0)::BIGINT AS dropped
    FROM piece
    GROUP BY minute_us, node_id, boot_id
    """


_SAMPLES = """(
    SELECT sample.*, coalesce(boot.records_dropped, 0) AS dropped_before
    FROM memory.staged_sample AS sample LEFT JOIN boot USING (node_id, boot_id)
)"""
ADD_NODE_MINUTES = f"""
MERGE INTO node_minute AS known
USING ({node_minutes(_SAMPLES, "dropped_before")}) AS fresh
ON known.minute_us = fresh.minute_us
    AND known.node_id = fresh.node_id
    AND known.boot_id = fresh.boot_id
WHEN MATCHED THEN UPDATE SET
    uptime_us = known.uptime_us + fresh.uptime_us,
    capacity_us = known.capacity_us + fresh.capacity_us,
    busy_us = known.busy_us + fresh.busy_us,
    cpu_busy_us = known.cpu_busy_us + fresh.cpu_busy_us,
    queue_depth_max = greatest(known.queue_depth_max, fresh.queue_depth_max),
    memory_bytes_max = greatest(known.memory_bytes_max, fresh.memory_bytes_max),
    loading_us = known.loading_us + fresh.loading_us,
    queue_depth_us = known.queue_depth_us + fresh.queue_depth_us,
    gpu_uptime_us = known.gpu_uptime_us + fresh.gpu_uptime_us,
    gpu_busy_us = known.gpu_busy_us + fresh.gpu_busy_us,
    gpu_energy_j = known.gpu_energy_j + fresh.gpu_energy_j,
    gpu_memory_bytes_max = greatest(known.gpu_memory_bytes_max, fresh.gpu_memory_bytes_max),
    dropped = known.dropped + fresh.dropped
WHEN NOT MATCHED THEN INSERT BY NAME
"""


def boots(records: str, minutes: str, samples: str) -> str:
    """Return the query that says what each boot left, from relations of the three kinds of facts.

    `records` may be counted already, as ALL_RECORDS is not: each row stands for some of them.
    `minutes` has the beginning of a minute, or of a longer stretch, in `minute_us`, and the origin.
    A boot with anything simulated is simulated: its machine never ran.
    """
    return f"""
    WITH recorded AS (
        SELECT
            node_id, boot_id,
            sum(records)::BIGINT AS records,
            min(seq_min) AS seq_min, max(seq_max) AS seq_max,
            min(first_us) AS first_arrival_us, max(last_us) AS last_arrival_us
        FROM {records}
        GROUP BY node_id, boot_id
    ), counted AS (
        SELECT
            node_id, boot_id,
            sum(requests)::BIGINT AS requests,
            min(minute_us) AS first_minute_us, max(minute_us) AS last_minute_us,
            bool_or(origin = 'simulated') AS simulated
        FROM {minutes}
        GROUP BY node_id, boot_id
    ), sampled AS (
        SELECT
            node_id, boot_id,
            count(*) AS samples,
            min(sampled_at_us - interval_us) AS first_sample_us,
            max(sampled_at_us) AS last_sample_us,
            max(records_dropped) AS records_dropped,
            arg_max(cloud, sampled_at_us) AS cloud,
            arg_max(region, sampled_at_us) AS region,
            arg_max(instance_type, sampled_at_us) AS instance_type,
            arg_max(purchase_option, sampled_at_us) AS purchase_option
        FROM {samples}
        GROUP BY node_id, boot_id
    )
    SELECT
        node_id, boot_id,
        coalesce(records, 0) AS records,
        coalesce(requests, 0) AS requests,
        coalesce(samples, 0) AS samples,
        seq_min, seq_max,
        coalesce(first_arrival_us, first_minute_us) AS first_arrival_us,
        coalesce(last_arrival_us, last_minute_us + {MINUTE_US} - 1) AS last_arrival_us,
        first_sample_us, last_sample_us, records_dropped,
        cloud, region, instance_type, purchase_option,
        coalesce(simulated, FALSE) AS simulated
    FROM recorded
    FULL JOIN counted USING (node_id, boot_id)
    FULL JOIN sampled USING (node_id, boot_id)
    """


# First by number, which is quicker than by name.
_STAGED_RECORDS = """(
    SELECT node_id, boot_id, staged.* FROM (
        SELECT
            local_id,
            count(*) AS records,
            min(seq) AS seq_min, max(seq) AS seq_max,
            min(arrived_at_us) AS first_us, max(arrived_at_us) AS last_us
        FROM memory.staged_usage GROUP BY local_id
    ) AS staged JOIN numbered USING (local_id)
)"""
ALL_RECORDS = """(
    SELECT
        node_id, boot_id,
        1 AS records, seq AS seq_min, seq AS seq_max,
        arrived_at_us AS first_us, arrived_at_us AS last_us
    FROM usage_record
)"""
_STAGED_BOOTS = boots(
    _STAGED_RECORDS,
    "memory.staged_minute JOIN numbered USING (local_id)",
    "memory.staged_sample",
)
ADD_BOOTS = f"""
MERGE INTO boot AS known
USING ({_STAGED_BOOTS}) AS fresh
ON known.node_id = fresh.node_id AND known.boot_id = fresh.boot_id
WHEN MATCHED THEN UPDATE SET
    records = known.records + fresh.records,
    requests = known.requests + fresh.requests,
    samples = known.samples + fresh.samples,
    seq_min = least(known.seq_min, fresh.seq_min),
    seq_max = greatest(known.seq_max, fresh.seq_max),
    first_arrival_us = least(known.first_arrival_us, fresh.first_arrival_us),
    last_arrival_us = greatest(known.last_arrival_us, fresh.last_arrival_us),
    first_sample_us = least(known.first_sample_us, fresh.first_sample_us),
    last_sample_us = greatest(known.last_sample_us, fresh.last_sample_us),
    records_dropped = greatest(known.records_dropped, fresh.records_dropped),
    cloud = coalesce(fresh.cloud, known.cloud),
    region = coalesce(fresh.region, known.region),
    instance_type = coalesce(fresh.instance_type, known.instance_type),
    purchase_option = coalesce(fresh.purchase_option, known.purchase_option),
    simulated = known.simulated OR fresh.simulated
WHEN NOT MATCHED THEN INSERT BY NAME
"""

ADD_COMMIT_MINUTE = f"""
MERGE INTO commit_minute AS known
USING (
    SELECT
        $now - $now % {MINUTE_US} AS minute_us,
        1 AS commits,
        $records AS records,
        $samples AS samples,
        $rejected AS rejected,
        $lag AS lag_us_max,
        $waited AS lock_wait_us,
        $waited AS lock_wait_us_max,
        $held AS held_us
) AS fresh
ON known.minute_us = fresh.minute_us
WHEN MATCHED THEN UPDATE SET
    commits = known.commits + fresh.commits,
    records = known.records + fresh.records,
    samples = known.samples + fresh.samples,
    rejected = known.rejected + fresh.rejected,
    lag_us_max = greatest(known.lag_us_max, fresh.lag_us_max),
    lock_wait_us = known.lock_wait_us + fresh.lock_wait_us,
    lock_wait_us_max = greatest(known.lock_wait_us_max, fresh.lock_wait_us_max),
    held_us = known.held_us + fresh.held_us
WHEN NOT MATCHED THEN INSERT BY NAME
"""

# In this order: numbers first, then what refers to them.
STATEMENTS = (
    OCCURRING,
    ADD_DIMENSIONS,
    NUMBER_DIMENSIONS,
    ADD_RECORDS,
    ADD_USAGE_MINUTES,
    ADD_LATENCY_MINUTES,
)
# Where there are samples; what was dropped before them is in the row of their boot.
SAMPLE_STATEMENTS = (ADD_SAMPLES, ADD_NODE_MINUTES)
LAST_STATEMENTS = (ADD_BOOTS,)
