"""The requests of a period that stand out: the slowest, and those that may be the dearest."""

from collections.abc import Sequence

import duckdb

from store.filter import EVERYTHING, Filter
from store.latency_histogram import GAMMA
from store.period import HOUR_US, Period
from store.request_log import MEASURED, LoggedRequest, select_requests
from store.resolution import read_resolution
from store.selection import IS_REQUEST, chosen
from store.steps import price_begin, within


def read_slowest_requests(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    limit: int,
    *,
    where: Filter = EVERYTHING,
) -> list[LoggedRequest]:
    """Return the `limit` requests of `period` with the longest total time, longest first.

    Failed ones are among them. Of equally slow ones the later come first.
    """
    found = _slowest_buckets(connection, period, limit, where)
    if found is None:
        return []
    bucket, first_us, last_us = found
    accepted = where.condition()
    order = "total_us DESC, arrived_at_us DESC, record_id"
    return select_requests(
        connection,
        f"""
        SELECT * FROM usage_record
        WHERE arrived_at_us >= $from AND arrived_at_us < $to AND total_us >= $at_least
            AND {accepted.sql} AND {IS_REQUEST}
        ORDER BY {order} LIMIT $limit
        """,
        {
            **accepted.bound,
            "from": max(first_us, period.from_us),
            "to": min(last_us + HOUR_US, period.to_us),
            "at_least": int(GAMMA ** (bucket - 1)) if bucket else 0,
            "limit": limit,
        },
        order=order,
    )


def _slowest_buckets(
    connection: duckdb.DuckDBPyConnection, period: Period, limit: int, where: Filter
) -> tuple[int, int, int] | None:
    """Return the bucket from which on there are `limit` requests, and when the rollups with them
    begin first and last; None where there is no request.

    At the edges of the period an hour of the rollups may reach beyond it: it is looked at, and not
    counted.
    """
    accepted, bound = chosen(where, condition=f"source = 'record' AND {IS_REQUEST}")
    stretch = Period(period.from_us // HOUR_US * HOUR_US, period.to_us)
    resolution_us = read_resolution(connection, stretch)
    [(bucket, first_us, last_us)] = connection.execute(
        f"""
        WITH chosen AS ({accepted}), counted AS MATERIALIZED (
            SELECT bucket, min(at_us) AS first_us, max(at_us) AS last_us,
                sum(requests) FILTER (at_us BETWEEN $from AND $last) AS inside
            FROM latency_rollup SEMI JOIN chosen USING (dimension_id)
            WHERE at_us >= $from - $from % {HOUR_US} AND at_us < $to
            GROUP BY bucket
        ), running AS (
            SELECT bucket, first_us, last_us,
                sum(inside) OVER (ORDER BY bucket DESC) AS so_far
            FROM counted
        ), reached AS (
            SELECT coalesce(max(bucket) FILTER (so_far >= $limit), min(bucket)) AS bucket
            FROM running
        )
        SELECT reached.bucket, min(first_us), max(last_us)
        FROM reached JOIN running ON running.bucket >= reached.bucket
        GROUP BY reached.bucket
        """,
        {**bound, **within(period), "limit": limit, "last": period.to_us - resolution_us},
    ).fetchall() or [(None, None, None)]
    return None if bucket is None else (bucket, first_us, last_us)


def read_dearest_candidates(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    limit: int,
    price_changes: Sequence[int],
    *,
    where: Filter = EVERYTHING,
) -> list[LoggedRequest]:
    """Return requests of `period` among which are the `limit` dearest, whatever the prices.

    Those are the `limit` requests with most machine time of each kind of machine, between two price
    changes each: there, cost is in proportion to it. Requests whose machine time is not measured
    have no cost and are left out. Most machine time first. This reads every record of the period.
    """
    accepted = where.condition()
    share = "compute_us::DOUBLE * items * uptime_us / (batch_size * capacity_us::DOUBLE)"
    interval = price_begin("arrived_at_us", period, price_changes)
    return select_requests(
        connection,
        f"""
        -- Materialized, or the optimiser would join every record with every node by its minute.
        WITH records AS MATERIALIZED (
            SELECT record_id, node_id, boot_id, arrived_at_us, compute_us, items, batch_size
            FROM usage_record
            WHERE arrived_at_us >= $from AND arrived_at_us < $to AND compute_us > 0
                AND {accepted.sql} AND {IS_REQUEST}
        ), measured AS ({MEASURED}), dearest AS (
            -- Kept as the few largest of each group: sorting every record would not fit in memory.
            SELECT unnest(arg_max(record_id, {share}, $limit)) AS record_id
            FROM measured
            WHERE capacity_us > 0
            GROUP BY cloud, region, instance_type, purchase_option, {interval}
        )
        SELECT * FROM usage_record SEMI JOIN dearest USING (record_id)
        WHERE arrived_at_us >= $from AND arrived_at_us < $to
        """,
        {
            **accepted.bound,
            **within(period),
            "limit": limit,
        },
        order=f"{share} DESC, arrived_at_us DESC, record_id",
    )
