"""How many requests came and how long they took, from the minute rollups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from store.period import Period


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
    connection: duckdb.DuckDBPyConnection, period: Period, step_us: int
) -> list[Traffic]:
    """Return the traffic of `period` by step, ascending; steps without a request are left out."""
    bound = {"from": period.from_us, "to": period.to_us, "step": step_us}
    latency: dict[int, dict[int, int]] = {}
    for from_us, bucket, requests in connection.execute(
        """
        SELECT
            minute_us - (minute_us - $from) % $step AS from_us,
            bucket,
            sum(requests)::BIGINT
        FROM latency_minute JOIN dimension_set USING (dimension_id)
        WHERE minute_us >= $from AND minute_us < $to AND status < 400
        GROUP BY ALL
        """,
        bound,
    ).fetchall():
        latency.setdefault(from_us, {})[bucket] = requests
    rows = connection.execute(
        """
        SELECT
            minute_us - (minute_us - $from) % $step AS from_us,
            sum(requests)::BIGINT,
            coalesce(sum(requests) FILTER (status >= 400), 0)::BIGINT
        FROM usage_minute JOIN dimension_set USING (dimension_id)
        WHERE minute_us >= $from AND minute_us < $to
        GROUP BY ALL
        HAVING sum(requests) > 0
        ORDER BY from_us
        """,
        bound,
    ).fetchall()
    return [
        Traffic(from_us, requests, failures, latency.get(from_us, {}))
        for from_us, requests, failures in rows
    ]
