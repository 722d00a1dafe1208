"""A month of sums by hour, made by DuckDB in the tables that hold them: many kinds of requests.

Four nodes, three models of two versions, four tenants, and as many teams as it takes. The same
arguments give the same facts.
"""

from pathlib import Path

from store import HOUR_US, open_writer

# 2026-11-01, 00:00 UTC, a month of 720 hours.
FIRST_US = 1_793_491_200_000_000
NODES = 4
KINDS_OF_A_TEAM = 3 * 2 * 4

_DIMENSIONS = """
INSERT INTO dimension_set BY NAME
SELECT
    row_number() OVER () AS dimension_id, 'node-' || n AS node_id,
    ('00000000-0000-7000-8000-00000000000' || n)::UUID AS boot_id, 'live' AS origin,
    ['ranker', 'digits', 'speech'][m + 1] AS model, v::VARCHAR AS model_version,
    'fp32' AS variant, 'tenant-' || t AS tenant, MAP {'team': 'team-' || k} AS labels,
    'normal' AS priority, 'cpu' AS pool, 'miss' AS cache, 200 AS status, NULL AS error,
    'direct' AS route, 'record' AS source
FROM range(4) AS a(n), range(3) AS b(m), range(1, 3) AS c(v), range(4) AS d(t), range($teams) AS e(k)
"""  # noqa: E501 - one combination in a line
_USAGE = """
INSERT INTO usage_hour BY NAME
SELECT
    $first + h * 3600000000 AS hour_us, dimension_id, 1 + dimension_id % 4 AS batch_size,
    1 AS share_uptime, 4 AS share_capacity, 1 + dimension_id % 7 AS requests,
    1 + dimension_id % 7 AS items, 100000 + (hash(h, dimension_id) % 500000)::HUGEINT AS item_us,
    10 AS queue_us, 1000 AS compute_us, 2000 AS total_us, 400 AS request_bytes,
    150 AS response_bytes, 100 AS input_tokens, 50 AS output_tokens
FROM range($hours) AS r(h), dimension_set
ORDER BY hour_us
"""
_NODES = """
INSERT INTO node_hour BY NAME
SELECT
    $first + h * 3600000000 AS hour_us, 'node-' || n AS node_id,
    ('00000000-0000-7000-8000-00000000000' || n)::UUID AS boot_id, 'aws' AS cloud,
    'us-east-1' AS region, 'c7i.xlarge' AS instance_type, 'on_demand' AS purchase_option,
    3600000000 AS uptime_us, 14400000000 AS capacity_us, 1000 AS busy_us, 1 AS cpu_busy_us,
    1 AS queue_depth_max, 1 AS memory_bytes_max, 0 AS loading_us, 0 AS queue_depth_us,
    0 AS gpu_uptime_us, 0 AS gpu_busy_us, 0 AS gpu_energy_j, NULL AS gpu_memory_bytes_max,
    0 AS dropped
FROM range($hours) AS r(h), range(4) AS a(n)
"""
_BOOTS = """
INSERT INTO boot BY NAME
SELECT
    node_id, boot_id, 1 AS records, 1 AS requests, 1 AS samples, 1 AS seq_min, 1 AS seq_max,
    $first AS first_arrival_us, $last - 1 AS last_arrival_us, $first AS first_sample_us,
    $last AS last_sample_us, 0 AS records_dropped, any_value(cloud) AS cloud,
    any_value(region) AS region, any_value(instance_type) AS instance_type,
    any_value(purchase_option) AS purchase_option, FALSE AS simulated
FROM node_hour GROUP BY node_id, boot_id
"""


def make_month(database: Path, hours: int, teams: int) -> int:
    """Write `hours` of sums into a new database; return how many kinds of requests they hold."""
    last_us = FIRST_US + hours * HOUR_US
    with open_writer(database) as connection:
        connection.execute(_DIMENSIONS, {"teams": teams})
        connection.execute(_USAGE, {"first": FIRST_US, "hours": hours})
        connection.execute(_NODES, {"first": FIRST_US, "hours": hours})
        connection.execute(_BOOTS, {"first": FIRST_US, "last": last_us})
        connection.execute("UPDATE store_state SET commits = 1, committed_at_us = ?", [last_us])
    return NODES * KINDS_OF_A_TEAM * teams * hours
