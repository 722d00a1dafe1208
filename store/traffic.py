"""How many requests came and how long they took, from the rollups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from store.filter import EVERYTHING, Filter
from store.grouping import Grouping, Key, key_columns, key_names, key_order
from store.latency import read_latency
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class Traffic:
    """Requests of one group that arrived from `from_us` on, for one step of a period.

    `failures` are answers with a status of 400 or above. `latency` counts the others by
    histogram bucket of their total time (see store/latency_histogram.py).
    """

    from_us: int
    key: Key
    requests: int
    failures: int
    latency: Mapping[int, int] = field(default_factory=dict)


def read_traffic(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int | None = None,
    *,
    by: Sequence[Grouping] = (),
    where: Filter = EVERYTHING,
) -> list[Traffic]:
    """Return the traffic of `period` by step (None for all of it at once) and by `by`.

    Ascending by step, most requests first in each; what has no request is left out.
    """
    step_us = step_us or period.length_us
    latency = {
        (row.from_us, row.key): row.counts
        for row in read_latency(connection, period, step_us, by=by, where=where)
    }
    keys, key_bound = key_columns(by)
    accepted, bound = chosen(where, *keys, "status >= 400 AS failed", machines=True)
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {", ".join((f"{STEP} AS from_us", *key_names(by)))},
            sum(requests)::BIGINT,
            coalesce(sum(requests) FILTER (failed), 0)::BIGINT
        FROM {rollup("usage", period, step_us)} JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        HAVING sum(requests) > 0
        """,
        {**bound, **key_bound, **by_step(period, step_us)},
    ).fetchall()
    found = [
        Traffic(from_us, tuple(key), requests, failures, latency.get((from_us, tuple(key)), {}))
        for from_us, *key, requests, failures in rows
    ]
    return sorted(found, key=lambda row: (row.from_us, -row.requests, key_order(row.key)))
