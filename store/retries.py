"""Requests that were asked again because they had failed before."""

from dataclasses import dataclass

import duckdb

from costs import BusyTime, Machine
from store.filter import EVERYTHING, Filter
from store.period import Period
from store.request_log import MEASURED
from store.selection import IS_REQUEST
from store.steps import within

# A client that tries again does so within seconds; later, somebody asks the same by chance.
RETRY_WITHIN_US = 60_000_000


@dataclass(frozen=True)
class Retries:
    """How many requests were retries, and what machine time they own."""

    requests: int
    busy: tuple[BusyTime, ...]


def read_retries(
    connection: duckdb.DuckDBPyConnection, period: Period, *, where: Filter = EVERYTHING
) -> Retries:
    """Return the retries of `period`.

    A retry is a request whose tenant asked the same model with the same input within a minute
    before, and was refused or failed. Requests without a digest of their input cannot be told.
    This reads every record of the period.
    """
    accepted = where.condition()
    rows = connection.execute(
        f"""
        WITH asked AS MATERIALIZED (
            SELECT record_id, node_id, boot_id, arrived_at_us, compute_us, items, batch_size,
                model, tenant, input_digest, status
            FROM usage_record
            WHERE arrived_at_us >= $from AND arrived_at_us < $to AND input_digest IS NOT NULL
                AND {accepted.sql} AND {IS_REQUEST}
        ), failed AS (
            SELECT model, tenant, input_digest, arrived_at_us FROM asked WHERE status >= 400
        ), records AS (
            FROM asked WHERE EXISTS (
                FROM failed
                WHERE failed.input_digest = asked.input_digest
                    AND failed.tenant = asked.tenant
                    AND failed.model IS NOT DISTINCT FROM asked.model
                    AND failed.arrived_at_us < asked.arrived_at_us
                    AND failed.arrived_at_us >= asked.arrived_at_us - {RETRY_WITHIN_US}
            )
        ), measured AS ({MEASURED})
        SELECT
            cloud, region, instance_type, purchase_option, arrived_at_us,
            compute_us::HUGEINT * items AS item_us, batch_size, uptime_us, capacity_us
        FROM measured
        """,
        {**accepted.bound, **within(period)},
    ).fetchall()
    busy = tuple(
        BusyTime(Machine(*machine), at_us, item_us, batch_size, uptime_us, capacity_us)
        for *machine, at_us, item_us, batch_size, uptime_us, capacity_us in rows
        if item_us and capacity_us
    )
    return Retries(len(rows), busy)
