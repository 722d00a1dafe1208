"""Whether what is stored is whole and fresh: how the collector fares, and what is missing."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from store.period import MINUTE_US, Period
from store.steps import within


@dataclass(frozen=True)
class CommitMinute:
    """The commits of one minute, by the collector's clock.

    `lag_us_max` is the longest delay from the arrival of a request to its commit, None where no
    commit had one. `lock_wait_us` was waited for readers to let go of the file, in all and by the
    commit that waited longest; `held_us` is how long the file was held, which each commit leaves to
    the next one to tell.
    """

    minute_us: int
    commits: int
    records: int
    samples: int
    rejected: int
    lag_us_max: int | None
    lock_wait_us: int
    lock_wait_us_max: int
    held_us: int


@dataclass(frozen=True)
class RejectedReason:
    """Lines that were rejected for the same reason, but for the numbers in it.

    `reason` has a # for each number; `newest_reason` is that of the line rejected last.
    """

    reason: str
    lines: int
    newest_at_us: int
    newest_reason: str


@dataclass(frozen=True)
class StoredRejection:
    """A line that is no fact: where it stood, why, and its text, cut where it is very long."""

    node_id: str
    boot_id: str
    segment: int
    byte_offset: int
    reason: str
    line: str
    rejected_at_us: int


@dataclass(frozen=True)
class BootHealth:
    """One run of a node: what is stored of it. The instants are None where there is no such fact.

    `requests` includes what a source counted without records. `dropped` counts the facts that the
    node itself says it lost. A `simulated` run never was one.
    """

    node_id: str
    boot_id: str
    records: int
    requests: int
    samples: int
    seq_min: int | None
    seq_max: int | None
    dropped: int
    first_fact_us: int | None
    last_fact_us: int | None
    simulated: bool = False

    @property
    def missing_before(self) -> int:
        """Records of the boot before the first that is stored: they are numbered from 1."""
        return 0 if self.seq_min is None else self.seq_min - 1

    @property
    def missing_within(self) -> int:
        """Records between the first and the last stored that are not: still under way, or lost."""
        if self.seq_min is None or self.seq_max is None:
            return 0
        return self.seq_max - self.seq_min + 1 - self.records


@dataclass(frozen=True)
class Storage:
    """How much is stored, and where.

    Records and samples are in the file for some hours, then in the archive; the oldest record that
    is still in the file arrived at `oldest_in_file_us`, None where it holds none. `first_us`
    and `last_us` are the oldest and the newest instant that a fact of either kind spoke of, whether
    or not it is still kept, None while there is none.
    """

    file_bytes: int
    records: int
    samples: int
    rejected_lines: int
    archived_files: int
    archived_records: int
    archived_samples: int
    archived_bytes: int
    first_us: int | None
    last_us: int | None
    oldest_in_file_us: int | None


def read_commit_minutes(
    connection: duckdb.DuckDBPyConnection, period: Period
) -> list[CommitMinute]:
    """Return the minutes of `period` in which something was committed, ascending.

    The newest lag is `lag_us_max` of the last one that has one.
    """
    rows = connection.execute(
        """
        SELECT
            minute_us, commits, records, samples, rejected, lag_us_max, lock_wait_us,
            lock_wait_us_max, held_us
        FROM commit_minute
        WHERE minute_us >= $from AND minute_us < $to
        ORDER BY minute_us
        """,
        within(period),
    ).fetchall()
    return [CommitMinute(*row) for row in rows]


def read_records_per_s(
    connection: duckdb.DuckDBPyConnection, now_us: int, *, minutes: int = 5
) -> float:
    """Return records committed per second in the last `minutes` before `now_us`, a running one
    included.
    """
    from_us = now_us // MINUTE_US * MINUTE_US - (minutes - 1) * MINUTE_US
    [(records,)] = connection.execute(
        "SELECT coalesce(sum(records), 0)::BIGINT FROM commit_minute "
        "WHERE minute_us >= $from AND minute_us <= $now",
        {"from": from_us, "now": now_us},
    ).fetchall()
    return float(records) * 1_000_000 / max(now_us - from_us, 1_000_000)


def read_rejected_reasons(connection: duckdb.DuckDBPyConnection) -> list[RejectedReason]:
    """Return why lines were rejected, most lines first."""
    rows = connection.execute(
        r"""
        SELECT
            regexp_replace(reason, '-?[0-9]+([.][0-9]+)?', '#', 'g') AS kind,
            count(*) AS lines,
            max(rejected_at_us),
            arg_max(reason, rejected_at_us)
        FROM rejected_line
        GROUP BY kind
        ORDER BY lines DESC, kind
        """
    ).fetchall()
    return [RejectedReason(*row) for row in rows]


def read_rejected_lines(connection: duckdb.DuckDBPyConnection, limit: int) -> list[StoredRejection]:
    """Return the `limit` lines rejected last, newest first."""
    rows = connection.execute(
        """
        SELECT node_id, boot_id, segment, byte_offset, reason, line, rejected_at_us
        FROM rejected_line
        ORDER BY rejected_at_us DESC, node_id, boot_id, segment DESC, byte_offset DESC
        LIMIT $limit
        """,
        {"limit": limit},
    ).fetchall()
    return [StoredRejection(*row) for row in rows]


def read_boots(connection: duckdb.DuckDBPyConnection) -> list[BootHealth]:
    """Return every run of every node, newest fact first."""
    rows = connection.execute(
        """
        SELECT
            node_id, boot_id::VARCHAR, records, requests, samples, seq_min, seq_max,
            coalesce(records_dropped, 0),
            least(first_arrival_us, first_sample_us),
            greatest(last_arrival_us, last_sample_us) AS last_fact_us,
            simulated
        FROM boot
        ORDER BY last_fact_us DESC NULLS LAST, node_id, boot_id
        """
    ).fetchall()
    return [BootHealth(*row) for row in rows]


def gaps(boots: list[BootHealth]) -> list[BootHealth]:
    """Return those of `boots` that left records of which some are not stored."""
    return [boot for boot in boots if boot.missing_before or boot.missing_within]


def silent(boots: list[BootHealth], now_us: int, longer_than_us: int) -> list[BootHealth]:
    """Return the newest boot of each node that left no fact for longer than `longer_than_us`.

    An older boot of a node has ended, which is no silence, and a simulated one never spoke. Whether
    the newest one was stopped on purpose is not known.
    """
    newest: dict[str, BootHealth] = {}
    for boot in (boot for boot in boots if not boot.simulated):
        known = newest.get(boot.node_id)
        if known is None or (boot.last_fact_us or 0) > (known.last_fact_us or 0):
            newest[boot.node_id] = boot
    return [boot for boot in newest.values() if now_us - (boot.last_fact_us or 0) > longer_than_us]


def read_storage(connection: duckdb.DuckDBPyConnection) -> Storage:
    """Return how much is stored in the database and its archive."""
    [(path, *counts)] = connection.execute(
        """
        SELECT
            (SELECT path FROM duckdb_databases() WHERE database_name = current_database()),
            (SELECT count(*) FROM usage_record_hot),
            (SELECT count(*) FROM node_sample_hot),
            (SELECT count(*) FROM rejected_line),
            count(*),
            coalesce(sum(facts) FILTER (kind = 'usage'), 0)::BIGINT,
            coalesce(sum(facts) FILTER (kind = 'sample'), 0)::BIGINT,
            coalesce(sum(size_bytes), 0)::BIGINT,
            (SELECT least(min(first_arrival_us), min(first_sample_us)) FROM boot),
            (SELECT greatest(max(last_arrival_us), max(last_sample_us)) FROM boot),
            (SELECT min(arrived_at_us) FROM usage_record_hot)
        FROM archive_file
        """
    ).fetchall()
    return Storage(Path(path).stat().st_size, *counts)
