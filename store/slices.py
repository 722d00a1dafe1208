"""Counts and sums of requests: in all, step by step, and by any of their dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import duckdb

from costs import BusyTime
from store.filter import EVERYTHING, Filter
from store.grouping import Grouping, Key, key_columns, key_names, key_order
from store.latency import read_latency
from store.machine_time import read_busy_slices
from store.period import Period
from store.selection import IS_REQUEST, chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class Totals:
    """Counts and sums of requests; `a + b` is both together.

    `failures` are answers with a status of 400 or above, `executed` requests that were in a batch,
    successful or not. `queue_us`, `compute_us` and `total_us` are sums over requests (a batch's
    execution counts once for each request in it). `worker_us` is the worker time that they own,
    compute_us x items / batch_size, what was executed on their behalf included; it is rounded, and
    for shares: costs come from BusyTime.
    """

    requests: int = 0
    failures: int = 0
    executed: int = 0
    items: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    queue_us: int = 0
    compute_us: int = 0
    total_us: int = 0
    worker_us: float = 0.0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def successes(self) -> int:
        """Requests that were answered with a status below 400."""
        return self.requests - self.failures


@dataclass(frozen=True)
class Slice:
    """Requests of one group that arrived in one step.

    `key` has one value for each grouping. `latency` counts successful requests by bucket of their
    total time. `busy` is what their cost is derived from; `unmeasured` requests are not in it,
    because no sample of their node is stored for their minute.
    """

    from_us: int
    key: Key
    totals: Totals
    latency: Mapping[int, int] = field(default_factory=dict)
    busy: tuple[BusyTime, ...] = ()
    unmeasured: int = 0


def read_totals(
    connection: duckdb.DuckDBPyConnection, period: Period, *, where: Filter = EVERYTHING
) -> Totals:
    """Return the totals of `period`."""
    found = _read_sums(connection, period, period.length_us, (), where)
    return found.get((period.from_us, ()), Totals())


def read_series(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    where: Filter = EVERYTHING,
) -> list[tuple[int, Totals]]:
    """Return (beginning of step, totals), ascending; steps without any request are left out."""
    found = _read_sums(connection, period, step_us, (), where)
    return sorted((from_us, totals) for (from_us, _), totals in found.items() if totals.requests)


def read_breakdown(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    by: Sequence[Grouping],
    price_changes: Sequence[int],
    *,
    step_us: int | None = None,
    where: Filter = EVERYTHING,
    latency: bool = True,
) -> list[Slice]:
    """Return the slices of `period` by the groupings `by`, and by step where `step_us` is given.

    Ordered by step, then most requests first. Totals and busy times of all slices add up to those
    of the period. A slice may have no request of its own: what was executed on behalf of others
    has a route, and may have a version, of its own. `price_changes` are as for `read_busy_times`.
    Without `latency` its counts are not read, which is faster for thousands of groups.
    """
    step_us = step_us or period.length_us
    sums = _read_sums(connection, period, step_us, by, where)
    counts = {}
    if latency:
        for row in read_latency(connection, period, step_us, by=by, where=where):
            counts[row.from_us, row.key] = row.counts
    busy = read_busy_slices(connection, period, step_us, price_changes, by, where)
    slices = [
        Slice(
            from_us,
            key,
            totals,
            counts.get((from_us, key), {}),
            tuple(busy.rows.get((from_us, key), ())),
            busy.unmeasured.get((from_us, key), 0),
        )
        for (from_us, key), totals in sums.items()
    ]
    return sorted(slices, key=lambda s: (s.from_us, -s.totals.requests, key_order(s.key)))


def _read_sums(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    by: Sequence[Grouping],
    where: Filter,
) -> dict[tuple[int, Key], Totals]:
    keys, key_bound = key_columns(by)
    accepted, bound = chosen(
        where, *keys, "status >= 400 AS failed", f"{IS_REQUEST} AS is_request", machines=True
    )
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted}), summed AS (
            SELECT
                {STEP} AS from_us, {", ".join((*key_names(by), "failed", "is_request"))},
                batch_size,
                sum(requests) AS requests,
                sum(items) AS items,
                sum(request_bytes) AS request_bytes,
                sum(response_bytes) AS response_bytes,
                sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens,
                sum(queue_us) AS queue_us,
                sum(compute_us) AS compute_us,
                sum(total_us) AS total_us,
                sum(item_us) AS item_us
            FROM {rollup("usage", period, step_us)} JOIN chosen USING (dimension_id)
            WHERE {IN_PERIOD}
            GROUP BY ALL
        )
        SELECT
            {", ".join(("from_us", *key_names(by)))},
            sum(requests)::BIGINT,
            coalesce(sum(requests) FILTER (failed), 0)::BIGINT,
            coalesce(sum(requests) FILTER (batch_size > 0), 0)::BIGINT,
            sum(items)::BIGINT,
            sum(request_bytes)::HUGEINT,
            sum(response_bytes)::HUGEINT,
            sum(input_tokens)::HUGEINT,
            sum(output_tokens)::HUGEINT,
            sum(queue_us)::HUGEINT,
            coalesce(sum(compute_us) FILTER (is_request), 0)::HUGEINT,
            sum(total_us)::HUGEINT,
            coalesce(sum(item_us / batch_size) FILTER (item_us > 0), 0)::DOUBLE
        FROM summed
        GROUP BY ALL
        """,
        {**bound, **key_bound, **by_step(period, step_us)},
    ).fetchall()
    size = len(by)
    return {(row[0], tuple(row[1 : 1 + size])): Totals(*row[1 + size :]) for row in rows}
