"""Latency of any slice and period, as counts by bucket, and the quantiles that come from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.grouping import Grouping, Key, key_columns, key_names, key_order
from store.latency_histogram import quantile_us, value_us
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class Latency:
    """Successful requests of one group that arrived in one step, by bucket of their total time.

    `counts` are those of store/latency_histogram.py: those of slices add up, quantiles do not.
    """

    from_us: int
    key: Key
    counts: Mapping[int, int]

    def quantiles_us(self, qs: Iterable[float]) -> list[float]:
        """Return the quantiles (0 < q <= 1) in microseconds, each within 1 % of the exact one."""
        found = (quantile_us(self.counts, q) for q in qs)
        return [value for value in found if value is not None]


def read_latency(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int | None = None,
    *,
    by: Sequence[Grouping] = (),
    where: Filter = EVERYTHING,
) -> list[Latency]:
    """Return the latency of `period` by step (None for all of it at once) and by `by`.

    Ascending by step and key; what has no successful request is left out.
    """
    keys, key_bound = key_columns(by)
    accepted, bound = chosen(where, *keys, condition="status < 400", machines=True)
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {", ".join((f"{STEP} AS from_us", *key_names(by)))},
            bucket,
            sum(requests)::BIGINT
        FROM {rollup("latency", period, step_us)} JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        """,
        {**bound, **key_bound, **by_step(period, step_us or period.length_us)},
    ).fetchall()
    counts: dict[tuple[int, Key], dict[int, int]] = {}
    for from_us, *key, bucket, requests in rows:
        counts.setdefault((from_us, tuple(key)), {})[bucket] = requests
    found = [Latency(from_us, key, buckets) for (from_us, key), buckets in counts.items()]
    return sorted(found, key=lambda row: (row.from_us, key_order(row.key)))


def percentile_curve(counts: Mapping[int, int]) -> list[tuple[float, float]]:
    """Return (q, microseconds) ascending: of `q` of the requests the latency is at most that.

    One point for each bucket that holds a request; the last one has q = 1. Empty for no counts.
    """
    total = sum(counts.values())
    curve = []
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        curve.append((seen / total, value_us(bucket)))
    return curve
