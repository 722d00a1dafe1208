"""Minutes of older days become hours, and days: the same sums in fewer rows.

A cost stays what it was to the last tick: direct cost is linear in the worker time of a minute
times the share of the machine that a worker was then, and that share is a part of the key.
"""

import duckdb

from store.period import DAY_US, HOUR_US
from store.schema import transaction


def usage_by(name: str, length_us: int, prefix: str = "") -> str:
    """Return the statement that adds minutes before $before up in stretches of `length_us`.

    It reads and writes tables whose names begin with `prefix`; machine time has to be there.
    """
    return f"""
    INSERT INTO {prefix}usage_{name} BY NAME
    SELECT
        minute_us - minute_us % {length_us} AS {name}_us,
        dimension_id,
        batch_size,
        uptime_us // gcd(uptime_us, capacity_us) AS share_uptime,
        capacity_us // gcd(uptime_us, capacity_us) AS share_capacity,
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
    FROM {prefix}usage_minute
    JOIN (SELECT dimension_id, node_id, boot_id FROM dimension_set) USING (dimension_id)
    LEFT JOIN (
        SELECT minute_us, node_id, boot_id, uptime_us, capacity_us FROM {prefix}node_minute
    ) USING (minute_us, node_id, boot_id)
    WHERE minute_us < $before
    GROUP BY ALL
    ORDER BY {name}_us
    """


def latency_by(name: str, length_us: int, prefix: str = "") -> str:
    """Return the statement that does for counts of latencies what `usage_by` does for usage."""
    return f"""
    INSERT INTO {prefix}latency_{name} BY NAME
    SELECT
        minute_us - minute_us % {length_us} AS {name}_us,
        dimension_id,
        bucket,
        sum(requests)::BIGINT AS requests
    FROM {prefix}latency_minute
    WHERE minute_us < $before
    GROUP BY ALL
    ORDER BY {name}_us
    """


def _node_by(name: str, length_us: int) -> str:
    return f"""
    INSERT INTO node_{name} BY NAME
    SELECT
        minute_us - minute_us % {length_us} AS {name}_us,
        node_id, boot_id, cloud, region, instance_type, purchase_option,
        sum(uptime_us)::BIGINT AS uptime_us,
        sum(capacity_us)::BIGINT AS capacity_us,
        sum(busy_us)::BIGINT AS busy_us,
        sum(cpu_busy_us) AS cpu_busy_us,
        max(queue_depth_max) AS queue_depth_max,
        max(memory_bytes_max) AS memory_bytes_max,
        sum(loading_us)::BIGINT AS loading_us,
        sum(queue_depth_us)::BIGINT AS queue_depth_us,
        sum(gpu_uptime_us)::BIGINT AS gpu_uptime_us,
        sum(gpu_busy_us) AS gpu_busy_us,
        sum(gpu_energy_j) AS gpu_energy_j,
        max(gpu_memory_bytes_max) AS gpu_memory_bytes_max,
        sum(dropped)::BIGINT AS dropped
    FROM node_minute
    WHERE minute_us < $before
    GROUP BY ALL
    ORDER BY {name}_us
    """


COARSER = (("hour", HOUR_US), ("day", DAY_US))

# Machine time goes last: the shares of usage come from it.
STATEMENTS = (
    *(usage_by(*length) for length in COARSER),
    *(latency_by(*length) for length in COARSER),
    *(_node_by(*length) for length in COARSER),
    "DELETE FROM usage_minute WHERE minute_us < $before",
    "DELETE FROM latency_minute WHERE minute_us < $before",
    "DELETE FROM node_minute WHERE minute_us < $before",
)


def fold_minutes(connection: duckdb.DuckDBPyConnection, before_us: int) -> None:
    """Turn the minutes before `before_us`, a whole hour, into hours and days, in one transaction.

    What arrives later for an hour that is folded already becomes a minute and, with the next
    folding, another row of the same hour: sums do not mind.
    """
    if before_us % HOUR_US:
        raise ValueError(f"before_us is {before_us}; accepted: a multiple of {HOUR_US}")
    with transaction(connection):
        fold_within(connection, before_us)


def fold_within(connection: duckdb.DuckDBPyConnection, before_us: int) -> None:
    """Do what `fold_minutes` does, within the transaction of the caller."""
    for statement in STATEMENTS:
        connection.execute(statement, {"before": before_us})
