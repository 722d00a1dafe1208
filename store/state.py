"""What is in the database and how fresh it is."""

from dataclasses import dataclass

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import MINUTE_US


@dataclass(frozen=True)
class StoreState:
    """`commits` changes with every commit and with nothing else: a cache key for all reading.

    `records` counts requests, what was executed on behalf of one not included, `simulated` those of
    them that were made up. The instants are None while there is no fact they could speak of.
    """

    commits: int
    committed_at_us: int
    records: int
    rejected_lines: int
    first_fact_us: int | None
    last_arrival_us: int | None
    last_sample_us: int | None
    simulated: int = 0

    @property
    def last_fact_us(self) -> int | None:
        """The newest instant that any fact speaks of, None when there is none."""
        return max((self.last_arrival_us or 0, self.last_sample_us or 0)) or None

    @property
    def end_us(self) -> int | None:
        """The first instant that no fact speaks of any more, None when there is no fact.

        A request that arrived on a minute belongs to the minute that begins there, a sample that
        ends on it to the one before.
        """
        arrived = 0 if self.last_arrival_us is None else self.last_arrival_us + 1
        return max(arrived, self.last_sample_us or 0) or None

    @property
    def covered_to_us(self) -> int | None:
        """The instant up to which all facts are in, None when there is none.

        A request is stored at once, a sample at the end of its interval: what arrived since the
        last sample belongs to an interval that is still open. Where samples have stopped for
        longer than a minute, or never came, arrivals count alone.
        """
        if (self.last_arrival_us or 0) - (self.last_sample_us or 0) > MINUTE_US:
            return self.last_arrival_us
        return self.last_sample_us


def read_commits(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of commits so far."""
    [(commits,)] = connection.execute("SELECT commits FROM store_state").fetchall()
    return int(commits)


def read_state(connection: duckdb.DuckDBPyConnection, where: Filter = EVERYTHING) -> StoreState:
    """Return the state of the whole database; of `where` counts only whether simulated runs do.

    Hidden history is no coverage: a rate of what is left divides by the time of what is left.
    """
    counted = Filter(simulated=where.simulated).condition()
    [row] = connection.execute(
        f"""
        WITH counted AS (FROM boot WHERE {counted.sql})
        SELECT
            commits,
            committed_at_us,
            (SELECT coalesce(sum(requests), 0)::BIGINT FROM counted),
            (SELECT count(*) FROM rejected_line),
            (SELECT least(min(first_arrival_us), min(first_sample_us)) FROM counted),
            (SELECT max(last_arrival_us) FROM counted),
            (SELECT max(last_sample_us) FROM counted),
            (SELECT coalesce(sum(requests), 0)::BIGINT FROM counted WHERE simulated)
        FROM store_state
        """,
        counted.bound,
    ).fetchall()
    return StoreState(*row)
