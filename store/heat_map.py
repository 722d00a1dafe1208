"""How latency is distributed step by step: counts over time and duration."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.latency_histogram import GAMMA
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup, within

# More rows than this are not told apart in a chart.
MOST_ROWS = 60


@dataclass(frozen=True)
class HeatMap:
    """Successful requests by step and by row of durations.

    `rows` are (above, up to) in microseconds, ascending and adjoining; `counts` is by (beginning
    of step, index in `rows`), cells without a request left out.
    """

    rows: tuple[tuple[float, float], ...]
    counts: Mapping[tuple[int, int], int]


def read_heat_map(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    most_rows: int = MOST_ROWS,
    where: Filter = EVERYTHING,
) -> HeatMap:
    """Return the latencies of `period`; neighbouring buckets are merged until the rows are few.

    Rows are whole buckets of store/latency_histogram.py, by as many of them each.
    Raises ValueError where `most_rows` is below 2.
    """
    if most_rows < 2:
        raise ValueError(f"most_rows is {most_rows}; accepted: 2 or more")
    accepted, bound = chosen(where, condition="status < 400")
    [(lowest, highest)] = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT min(bucket), max(bucket)
        FROM {rollup("latency", period)} SEMI JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        """,
        {**bound, **within(period)},
    ).fetchall()
    if lowest is None:
        return HeatMap((), {})
    factor = 1
    while highest // factor - lowest // factor >= most_rows:
        factor += 1
    first = lowest // factor
    cells = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT {STEP} AS from_us, bucket // $factor - $first AS row, sum(requests)::BIGINT
        FROM {rollup("latency", period, step_us)} SEMI JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**bound, **by_step(period, step_us), "factor": factor, "first": first},
    ).fetchall()
    return HeatMap(
        rows=tuple(
            (_upper_us(row * factor - 1), _upper_us((row + 1) * factor - 1))
            for row in range(first, highest // factor + 1)
        ),
        counts={(from_us, row): requests for from_us, row, requests in cells},
    )


def _upper_us(bucket: int) -> float:
    """Return the longest duration in `bucket`; the one below the first ends at 0."""
    return float(GAMMA**bucket) if bucket >= 0 else 0.0
