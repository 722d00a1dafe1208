"""Requests that were asked again because they had failed before."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from costs import BusyTime, Machine
from store.filter import EVERYTHING, Filter
from store.period import Period
from store.request_log import MEASURED
from store.selection import IS_REQUEST
from store.steps import price_begin, within

# A client that tries again does so within seconds; later, somebody asks the same by chance.
RETRY_WITHIN_US = 60_000_000


@dataclass(frozen=True)
class Retries:
    """How many requests were retries, and what machine time they own."""

    requests: int
    busy: tuple[BusyTime, ...]


def read_retries(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    price_changes: Sequence[int],
    *,
    where: Filter = EVERYTHING,
) -> Retries | None:
    """Return the retries of `period`, None where records of it are not kept any more.

    `price_changes` are as for `read_busy_times`. A retry is a request whose tenant asked the same
    model with the same input within a minute before, and was refused or failed, on whatever machine
    and in whatever period that was. Requests without a digest of their input cannot be told. This
    reads every record of the period.
    """
    [(kept_from_us,)] = connection.execute("SELECT kept_from_us FROM archive_state").fetchall()
    if kept_from_us > period.from_us:
        return None
    accepted = where.condition()
    known = f"input_digest IS NOT NULL AND {IS_REQUEST}"
    same = "failed.tenant = asked.tenant AND failed.input_digest = asked.input_digest"
    # Only the last failure before a request is looked at: where one input fails a million times,
    # each beside each would be a million millions.
    rows = connection.execute(
        f"""
        WITH failed AS MATERIALIZED (
            SELECT coalesce(model, '') AS model, tenant, input_digest, arrived_at_us
            FROM usage_record
            WHERE arrived_at_us >= $from - {RETRY_WITHIN_US} AND arrived_at_us < $to AND {known}
                AND status >= 400
        ), asked AS (
            SELECT record_id, node_id, boot_id, arrived_at_us, compute_us, items, batch_size,
                coalesce(model, '') AS model, tenant, input_digest
            FROM usage_record
            WHERE arrived_at_us >= $from AND arrived_at_us < $to AND {known} AND {accepted.sql}
        ), again AS (
            FROM asked SEMI JOIN failed ON {same}
        ), records AS (
            SELECT asked.* FROM again AS asked ASOF JOIN failed
                ON {same}
                AND failed.model = asked.model
                AND failed.arrived_at_us < asked.arrived_at_us
            WHERE failed.arrived_at_us >= asked.arrived_at_us - {RETRY_WITHIN_US}
        ), measured AS ({MEASURED})
        SELECT
            cloud, region, instance_type, purchase_option,
            {price_begin("arrived_at_us", period, price_changes)} AS priced_at_us,
            sum(compute_us::HUGEINT * items) AS item_us, batch_size, uptime_us, capacity_us,
            count(*)
        FROM measured
        GROUP BY ALL
        """,
        {**accepted.bound, **within(period)},
    ).fetchall()
    busy = tuple(
        BusyTime(Machine(*machine), at_us, item_us, batch_size, uptime_us, capacity_us)
        for *machine, at_us, item_us, batch_size, uptime_us, capacity_us, _ in rows
        if item_us and capacity_us
    )
    return Retries(sum(row[-1] for row in rows), busy)
