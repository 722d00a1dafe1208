"""How much of what is shown was made up: runs of nodes that left simulated records."""

from dataclasses import dataclass, replace

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import IS_REQUEST, chosen
from store.steps import IN_PERIOD, rollup, within


@dataclass(frozen=True)
class Simulated:
    """Requests and nodes of a period and a filter, and how many of them are simulated."""

    requests: int = 0
    simulated_requests: int = 0
    nodes: int = 0
    simulated_nodes: int = 0

    def __bool__(self) -> bool:
        """Whether anything is simulated."""
        return self.simulated_requests > 0 or self.simulated_nodes > 0

    @property
    def measured(self) -> bool:
        """Whether anything is not."""
        return self.requests > self.simulated_requests or self.nodes > self.simulated_nodes


def read_simulated(
    connection: duckdb.DuckDBPyConnection, period: Period, where: Filter = EVERYTHING
) -> Simulated:
    """Return how much of what `where` accepts in `period` is simulated.

    What `where` itself says of that does not count: the answer tells what it shows and hides.
    """
    everything = replace(where, simulated=())
    nodes, simulated_nodes = _nodes(connection, period, everything)
    if not simulated_nodes:
        return Simulated(nodes=nodes)
    sets, bound = chosen(everything, "simulated", condition=IS_REQUEST, machines=True)
    [(requests, simulated_requests)] = connection.execute(
        f"""
        SELECT
            coalesce(sum(requests), 0)::BIGINT,
            coalesce(sum(requests) FILTER (simulated), 0)::BIGINT
        FROM {rollup("usage", period)} JOIN ({sets}) USING (dimension_id)
        WHERE {IN_PERIOD}
        """,
        {**bound, **within(period)},
    ).fetchall()
    return Simulated(requests, simulated_requests, nodes, simulated_nodes)


def _nodes(connection: duckdb.DuckDBPyConnection, period: Period, where: Filter) -> tuple[int, int]:
    """Return how many nodes left facts in `period`, and how many of them are simulated."""
    accepted = where.machine_condition()
    [row] = connection.execute(
        f"""
        SELECT count(DISTINCT node_id), count(DISTINCT node_id) FILTER (simulated)
        FROM boot
        WHERE least(first_arrival_us, first_sample_us) < $to
            AND (last_arrival_us >= $from OR last_sample_us > $from)
            AND {accepted.sql}
        """,
        {**accepted.bound, **within(period)},
    ).fetchall()
    return int(row[0]), int(row[1])
