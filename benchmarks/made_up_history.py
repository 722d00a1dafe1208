"""Ninety days of records, made by DuckDB as the files of an archive: those of a small fleet.

Four nodes on two kinds of machines, three models of two versions, four tenants, a daily cycle, one
request in a hundred refused, one in five from the cache. The same arguments give the same facts.
"""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

DAY_US = 86_400_000_000
DAYS = 90
SAMPLE_US = 10_000_000
# A Saturday, 00:00 UTC.
FIRST_DAY_US = 1_755_907_200_000_000

_RECORDS = """
COPY (
    WITH drawn AS (
        SELECT
            i,
            -- By the inverse of a daily cycle: busy around midnight UTC, quiet around noon.
            $day + ((x - sin(2 * pi() * x) / (2 * pi())) * 86400e6)::BIGINT AS arrived_at_us,
            hash($day + 8 * i + 1) / 18446744073709551616.0 AS u1,
            hash($day + 8 * i + 2) / 18446744073709551616.0 AS u2,
            hash($day + 8 * i + 3) / 18446744073709551616.0 AS u3,
            hash($day + 8 * i + 4) / 18446744073709551616.0 AS u4
        FROM (SELECT i, (i + 0.5) / $count AS x FROM range($count) AS r(i))
    ), shaped AS (
        SELECT *,
            (u1 * 4)::INTEGER % 4 AS node,
            CASE WHEN u2 < 0.6 THEN 0 WHEN u2 < 0.9 THEN 1 ELSE 2 END AS model,
            u3 < 0.2 AS is_hit,
            u3 > 0.99 AS is_refused,
            1 + (u4 * 4)::INTEGER % 4 AS batch_size
        FROM drawn
    ), timed AS (
        SELECT *,
            CASE WHEN is_hit OR is_refused THEN 0
                ELSE (800 * (model + 1) * exp(1.1 * (u4 + u1 + u2 + u3 - 2)))::BIGINT + 1
            END AS compute_us,
            CASE WHEN is_hit OR is_refused THEN 0 ELSE (-900 * ln(1 - u1 * 0.9999))::BIGINT
            END AS queue_us
        FROM shaped
    )
    SELECT
        md5(i::VARCHAR || $day)::UUID AS record_id,
        'node-' || node AS node_id,
        ('00000000-0000-7000-8000-00000000000' || node)::UUID AS boot_id,
        ($before + i + 1)::BIGINT AS seq,
        'live' AS origin,
        ['ranker', 'digits', 'speech'][model + 1] AS model,
        CASE WHEN u4 < 0.7 THEN '1' ELSE '2' END AS model_version,
        'fp32' AS variant,
        ['shop', 'search', 'mobile', 'internal'][1 + (u2 * 40)::INTEGER % 4] AS tenant,
        MAP {'team': 'team-' || (u2 * 40)::INTEGER % 4} AS labels,
        'normal' AS priority,
        'cpu' AS pool,
        CASE WHEN compute_us > 0 THEN 0 END AS worker,
        arrived_at_us,
        queue_us,
        compute_us,
        queue_us + compute_us + 150 + (u3 * 60)::BIGINT AS total_us,
        CASE WHEN compute_us > 0 THEN i // 4 END AS batch_id,
        CASE WHEN compute_us > 0 THEN batch_size ELSE 0 END::INTEGER AS batch_size,
        CASE WHEN is_hit THEN 'memory' ELSE 'miss' END AS cache,
        printf('%016x', hash(i % 100000)) AS input_digest,
        400::BIGINT AS request_bytes,
        150::BIGINT AS response_bytes,
        1::INTEGER AS items,
        NULL::BIGINT AS input_tokens,
        NULL::BIGINT AS output_tokens,
        NULL::VARCHAR AS client_region,
        CASE WHEN is_refused THEN 503 ELSE 200 END::SMALLINT AS status,
        CASE WHEN is_refused THEN 'queue_full' END AS error,
        'direct' AS route,
        NULL::UUID AS parent_id
    FROM timed
    ORDER BY arrived_at_us
) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)
"""

_SAMPLES = """
COPY (
    SELECT
        'node-' || node AS node_id,
        ('00000000-0000-7000-8000-00000000000' || node)::UUID AS boot_id,
        $day + (i + 1) * $interval AS sampled_at_us,
        $interval AS interval_us,
        'aws' AS cloud,
        CASE WHEN node < 2 THEN 'us-east-1' ELSE 'eu-west-1' END AS region,
        CASE WHEN node % 2 = 0 THEN 'c7i.xlarge' ELSE 'c7g.xlarge' END AS instance_type,
        'on_demand' AS purchase_option,
        4::INTEGER AS workers_ready,
        0::INTEGER AS workers_loading,
        (0.2 * $interval)::BIGINT AS busy_us,
        0.3 AS cpu_utilization,
        (400 * 1048576)::BIGINT AS memory_bytes,
        NULL::DOUBLE AS gpu_utilization,
        NULL::BIGINT AS gpu_memory_bytes,
        NULL::DOUBLE AS gpu_power_w,
        1::INTEGER AS queue_depth,
        0::BIGINT AS records_dropped
    FROM range($day_samples) AS r(i), range(4) AS n(node)
    ORDER BY sampled_at_us
) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)
"""


def make_history(archive: Path, records: int, days: int = DAYS) -> None:
    """Write `records` records over `days` days, and the samples of the nodes, into `archive`."""
    with duckdb.connect(":memory:") as connection:
        per_day = records // days
        for number in range(days):
            day_us = FIRST_DAY_US + number * DAY_US
            connection.execute(
                _RECORDS.replace("{path}", str(_file(archive, "usage", day_us))),
                {"day": day_us, "count": per_day, "before": number * per_day},
            )
            connection.execute(
                _SAMPLES.replace("{path}", str(_file(archive, "sample", day_us))),
                {"day": day_us, "interval": SAMPLE_US, "day_samples": DAY_US // SAMPLE_US},
            )


def _file(archive: Path, kind: str, day_us: int) -> Path:
    day = datetime.fromtimestamp(day_us // 1_000_000, UTC).date()
    folder = archive / kind / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "made-up.parquet"
