"""Where the time of a request went: waiting, executing, and everything else."""

from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import IS_REQUEST, chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class Stages:
    """Sums over the successful requests of one step that were executed; at least one request.

    Requests answered from a cache are not among them. Overhead is what is neither waiting nor
    executing: decoding, encoding, handing over; for the answer of a cascade also its first try.
    """

    from_us: int
    requests: int
    queue_us: int
    compute_us: int
    total_us: int

    @property
    def overhead_us(self) -> int:
        """total_us - queue_us - compute_us."""
        return self.total_us - self.queue_us - self.compute_us

    def means_us(self) -> tuple[float, float, float]:
        """Return the mean of queue, compute and overhead, microseconds per request."""
        parts = (self.queue_us, self.compute_us, self.overhead_us)
        queue, compute, overhead = (part / self.requests for part in parts)
        return queue, compute, overhead

    def shares(self) -> tuple[float, float, float]:
        """Return what part of the total time queue, compute and overhead are; 0 where it is 0."""
        parts = (self.queue_us, self.compute_us, self.overhead_us)
        queue, compute, overhead = (part / self.total_us if self.total_us else 0 for part in parts)
        return queue, compute, overhead


def read_stages(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    where: Filter = EVERYTHING,
) -> list[Stages]:
    """Return the stages of `period` by step, ascending; steps without such a request left out."""
    accepted, bound = chosen(where, condition=f"status < 400 AND {IS_REQUEST}")
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {STEP} AS from_us,
            sum(requests)::BIGINT,
            sum(queue_us)::HUGEINT,
            sum(compute_us)::HUGEINT,
            sum(total_us)::HUGEINT
        FROM {rollup("usage", period, step_us)} SEMI JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD} AND batch_size > 0
        GROUP BY ALL
        HAVING sum(requests) > 0
        ORDER BY from_us
        """,
        {**bound, **by_step(period, step_us)},
    ).fetchall()
    return [Stages(*row) for row in rows]
