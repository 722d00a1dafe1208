"""What the response cache answered, and an estimate of the worker time that it saved."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import IS_REQUEST, chosen
from store.steps import IN_PERIOD, rollup, within

# Answered without an execution of their own.
HITS = ("memory", "disk", "redis", "coalesced")


@dataclass(frozen=True)
class CacheSaving:
    """Successful requests of one version of a model by outcome of the cache.

    `miss_worker_us` is the worker time of the misses among them, `miss_requests` how many of those
    were executed.
    """

    model: str | None
    model_version: str | None
    requests: Mapping[str, int]
    miss_requests: int
    miss_worker_us: float

    @property
    def hits(self) -> int:
        """Requests that were answered without an execution of their own."""
        return sum(self.requests.get(outcome, 0) for outcome in HITS)

    @property
    def hit_share(self) -> float | None:
        """Hits of all requests that asked the cache; None where none did."""
        asked = self.hits + self.requests.get("miss", 0)
        return self.hits / asked if asked else None

    @property
    def estimated_saved_worker_us(self) -> float | None:
        """Hits x mean worker time of a miss: an estimate, for a hit leaves no execution to measure.

        None where something was answered by the cache and no miss was executed in the period.
        """
        if not self.hits:
            return 0.0
        if not self.miss_requests:
            return None
        return self.hits * self.miss_worker_us / self.miss_requests


def read_cache_savings(
    connection: duckdb.DuckDBPyConnection, period: Period, *, where: Filter = EVERYTHING
) -> list[CacheSaving]:
    """Return the cache's outcomes in `period` by model and version, most hits first."""
    accepted, bound = chosen(
        where, "model", "model_version", "cache", condition=f"status < 400 AND {IS_REQUEST}"
    )
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted}), summed AS (
            SELECT
                model, model_version, cache, batch_size,
                sum(requests) AS requests,
                sum(item_us) AS item_us
            FROM {rollup("usage", period)} JOIN chosen USING (dimension_id)
            WHERE {IN_PERIOD}
            GROUP BY ALL
        )
        SELECT
            model, model_version, cache,
            sum(requests)::BIGINT,
            coalesce(sum(requests) FILTER (batch_size > 0), 0)::BIGINT,
            coalesce(sum(item_us / batch_size) FILTER (item_us > 0), 0)::DOUBLE
        FROM summed
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**bound, **within(period)},
    ).fetchall()
    outcomes: dict[tuple[str | None, str | None], dict[str, int]] = {}
    misses: dict[tuple[str | None, str | None], tuple[int, float]] = {}
    for model, version, cache, requests, executed, worker_us in rows:
        outcomes.setdefault((model, version), {})[cache] = requests
        if cache == "miss":
            misses[model, version] = (executed, worker_us)
    savings = [
        CacheSaving(*version, counts, *misses.get(version, (0, 0.0)))
        for version, counts in outcomes.items()
    ]
    return sorted(savings, key=lambda saving: -saving.hits)
