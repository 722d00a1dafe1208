"""Facts that nodes had to drop because their spool could not be written."""

from dataclasses import dataclass

import duckdb

from store.period import Period


@dataclass(frozen=True)
class Dropped:
    """How many facts one node dropped in a period: requests, and samples of itself."""

    node_id: str
    facts: int


def read_dropped(connection: duckdb.DuckDBPyConnection, period: Period) -> list[Dropped]:
    """Return the nodes that dropped facts in `period`, by name; most often there are none.

    A sample carries the count since its boot began, and never less than the one before: what was
    dropped in a period is the difference of the highest counts in it and before it.
    """
    rows = connection.execute(
        """
        WITH boot AS (
            SELECT
                node_id,
                max(records_dropped)
                    - coalesce(max(records_dropped) FILTER (sampled_at_us <= $from), 0) AS facts
            FROM node_sample
            -- The first condition lets whole row groups be skipped where nothing was dropped.
            WHERE records_dropped > 0 AND sampled_at_us <= $to
            GROUP BY node_id, boot_id
        )
        SELECT node_id, sum(facts)::BIGINT FROM boot
        GROUP BY node_id HAVING sum(facts) > 0 ORDER BY node_id
        """,
        {"from": period.from_us, "to": period.to_us},
    ).fetchall()
    return [Dropped(node_id, facts) for node_id, facts in rows]
