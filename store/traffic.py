"""How many requests came and how long they took, from the rollups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from store.filter import EVERYTHING, Filter
from store.latency import read_latency
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class Traffic:
    """Requests that arrived from `from_us` on, for one step of a period.

    `failures` are answers with a status of 400 or above. `latency` counts the others by
    histogram bucket of their total time (see store/latency_histogram.py).
    """

    from_us: int
    requests: int
    failures: int
    latency: Mapping[int, int] = field(default_factory=dict)


def read_traffic(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    where: Filter = EVERYTHING,
) -> list[Traffic]:
    """Return the traffic of `period` by step, ascending; steps without a request are left out."""
    latency = {
        row.from_us: row.counts for row in read_latency(connection, period, step_us, where=where)
    }
    accepted, bound = chosen(where, "status >= 400 AS failed")
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {STEP} AS from_us,
            sum(requests)::BIGINT,
            coalesce(sum(requests) FILTER (failed), 0)::BIGINT
        FROM {rollup("usage", period, step_us)} JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        HAVING sum(requests) > 0
        ORDER BY from_us
        """,
        {**bound, **by_step(period, step_us)},
    ).fetchall()
    return [
        Traffic(from_us, requests, failures, latency.get(from_us, {}))
        for from_us, requests, failures in rows
    ]
