"""Facts that nodes had to drop because their spool could not be written."""

from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.steps import IN_PERIOD, rollup, within


@dataclass(frozen=True)
class Dropped:
    """How many facts one node dropped in a period: requests, and samples of itself."""

    node_id: str
    facts: int


def read_dropped(
    connection: duckdb.DuckDBPyConnection, period: Period, *, where: Filter = EVERYTHING
) -> list[Dropped]:
    """Return the nodes that dropped facts in `period`, by name; most often there are none.

    Of `where` only what it says of machines counts: what was dropped is known by node.
    """
    accepted = where.machine_condition()
    rows = connection.execute(
        f"""
        SELECT node_id, sum(dropped)::BIGINT
        FROM {rollup("node", period)}
        WHERE {IN_PERIOD} AND dropped > 0 AND {accepted.sql}
        GROUP BY node_id
        ORDER BY node_id
        """,
        {**accepted.bound, **within(period)},
    ).fetchall()
    return [Dropped(node_id, facts) for node_id, facts in rows]
