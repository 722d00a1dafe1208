"""How unequal requests are: how many of them own how much machine time."""

from dataclasses import dataclass

import duckdb

from costs import Machine
from store.filter import EVERYTHING, Filter
from store.period import Period
from store.request_log import MEASURED, period_of_latest
from store.selection import IS_REQUEST

STEPS_PER_DECADE = 20


@dataclass(frozen=True)
class MachineTimeBin:
    """Executed requests that own from `from_us` up to `to_us` of a machine, in microseconds."""

    machine: Machine
    from_us: float
    to_us: float
    requests: int


def read_machine_time_spread(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    most_requests: int,
    *,
    where: Filter = EVERYTHING,
) -> list[MachineTimeBin]:
    """Return the newest `most_requests` or so of `period` by machine and machine time, ascending.

    A bin is a twentieth of a decade wide. Whole minutes are read (hours, where minutes are rolled
    up), so a few more requests may be among them. What needed no execution is left out, and what
    is not measured yet.
    """
    found = period_of_latest(connection, most_requests, where, period)
    if found is None:
        return []
    accepted = where.condition()
    rows = connection.execute(
        f"""
        WITH records AS MATERIALIZED (
            SELECT record_id, node_id, boot_id, arrived_at_us, compute_us, items, batch_size
            FROM usage_record
            WHERE arrived_at_us >= $from AND arrived_at_us < $to AND compute_us > 0
                AND {accepted.sql} AND {IS_REQUEST}
        ), measured AS ({MEASURED})
        SELECT
            cloud, region, instance_type, purchase_option,
            floor({STEPS_PER_DECADE} * log10(
                compute_us::DOUBLE * items * uptime_us / (batch_size * capacity_us::DOUBLE)
            ))::INTEGER AS bin,
            count(*)
        FROM measured
        WHERE capacity_us > 0 AND uptime_us > 0
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**accepted.bound, "from": found[0], "to": found[1]},
    ).fetchall()
    return [
        MachineTimeBin(
            Machine(*machine),
            10 ** (number / STEPS_PER_DECADE),
            10 ** ((number + 1) / STEPS_PER_DECADE),
            requests,
        )
        for *machine, number, requests in rows
    ]
