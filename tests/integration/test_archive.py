"""Old facts move to Parquet, old minutes become hours, and every figure stays what it was."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs import Catalogue, Machine, Price
from store import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    ArchiveConflictError,
    Batch,
    DatabaseUnusableError,
    Period,
    Retention,
    Totals,
    archive,
    check_database,
    check_prices,
    commit,
    maintain,
    open_reader,
    open_writer,
    read_busy_times,
    read_latency,
    read_latest_requests,
    read_series,
    read_state,
    read_uptimes,
    rebuild_database,
    rebuild_rollups,
)
from store.archive import ArchiveFile, archive_before, merge_days
from store.archive_views import archive_folder
from store.compaction import fold_minutes
from tests.fixtures_usage import MONDAY_US, node_sample, on_behalf, traffic, usage_record

RAW = (
    "FROM usage_record ORDER BY arrived_at_us, seq, record_id",
    "FROM node_sample ORDER BY node_id, sampled_at_us",
)
_NAMED = "SELECT * EXCLUDE (dimension_id) FROM {} JOIN dimension_set USING (dimension_id)"
ROLLED = (
    f"{_NAMED.format('usage_rollup')} ORDER BY ALL",
    f"{_NAMED.format('latency_rollup')} ORDER BY ALL",
    "FROM node_rollup ORDER BY ALL",
    f"{_NAMED.format('usage_daily')} ORDER BY ALL",
    f"{_NAMED.format('latency_daily')} ORDER BY ALL",
    "FROM node_daily ORDER BY ALL",
    "FROM boot ORDER BY ALL",
)
# Sums that do not depend on whether they are kept by minute or by hour.
SUMS: tuple[str, ...] = (
    f"""
    SELECT at_us // {HOUR_US}, * EXCLUDE (at_us, dimension_id, requests, item_us, labels),
        labels::VARCHAR, sum(requests), sum(item_us)
    FROM busy_rollup JOIN dimension_set USING (dimension_id) GROUP BY ALL ORDER BY ALL
    """,
    f"""
    SELECT at_us // {HOUR_US}, tenant, status, bucket, sum(requests)
    FROM latency_rollup JOIN dimension_set USING (dimension_id) GROUP BY ALL ORDER BY ALL
    """,
    f"""
    SELECT at_us // {HOUR_US}, boot_id, sum(uptime_us), sum(capacity_us), sum(busy_us),
        sum(dropped), max(queue_depth_max), round(sum(cpu_busy_us))
    FROM node_rollup GROUP BY ALL ORDER BY ALL
    """,
)
SUMS += tuple(
    re.sub(r"(\w+)_rollup", r"\1_daily", sql).replace(str(HOUR_US), str(DAY_US)) for sql in SUMS
)
NOW_US = MONDAY_US + 5 * DAY_US
ALL_TIME = Period(MONDAY_US - DAY_US, MONDAY_US + 6 * DAY_US)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def state(database: Path, queries: tuple[str, ...]) -> list[list[tuple[object, ...]]]:
    with open_reader(database) as connection:
        return [connection.execute(sql).fetchall() for sql in queries]


def fill(database: Path) -> int:
    """Store some minutes of each of four days, with a change of workers within an hour."""
    seq = 1
    for day in range(4):
        start_us = MONDAY_US + day * DAY_US + day * 7 * MINUTE_US
        for minutes, workers in ((2, 2), (1, 3)):
            end_us = start_us + minutes * MINUTE_US
            node = {"workers_ready": workers, "records_dropped": day * 2}
            batch = traffic(start_us, end_us, per_second=6, first_seq=seq, seed=day, node=node)
            seq += len(batch.records)
            commit(database, batch, now_us=end_us)
            start_us = end_us
    behind = [on_behalf(seq=seq, arrived_at_us=MONDAY_US), usage_record(seq=seq + 1, model=None)]
    commit(database, Batch(behind), now_us=NOW_US)
    return seq + 1


def holds(database: Path) -> list[str]:
    with open_reader(database) as connection:
        found = list(check_database(connection, database))
    return [finding.text for finding in found if not finding.holds]


def direct_and_machine(database: Path) -> tuple[object, ...]:
    """Return every figure that a cost is made of, hour by hour, with a price change within."""
    changes = [0, MONDAY_US + 2 * DAY_US]
    with open_reader(database) as connection:
        busy = read_busy_times(connection, ALL_TIME, HOUR_US, changes)
        uptimes = read_uptimes(connection, ALL_TIME, HOUR_US, changes)
    return busy.rows, dict(busy.unmeasured), [(u.from_us, u.time, u.capacity_us) for u in uptimes]


def test_maintenance_changes_where_facts_are_and_nothing_that_anybody_reads(
    database: Path,
) -> None:
    records = fill(database)
    raw, sums, costs = state(database, RAW), state(database, SUMS), direct_and_machine(database)
    for day in range(1, 7):
        done = maintain(
            database, Retention(hot_hours=30, minute_days=2), now_us=MONDAY_US + day * DAY_US
        )
        assert done.dropped == 0
        assert state(database, RAW) == raw
        assert state(database, SUMS) == sums
        assert direct_and_machine(database) == costs
        assert holds(database) == []
    with open_reader(database) as connection:
        assert connection.execute("SELECT count(*) FROM usage_record_hot").fetchall() == [(0,)]
        assert connection.execute("SELECT count(*) FROM usage_minute").fetchall() == [(0,)]
        assert read_state(connection).records == records - 1
        newest = read_latest_requests(connection, 5)
        days = connection.execute(
            "SELECT kind, count(*), count(DISTINCT day_us) FROM archive_file GROUP BY kind"
        ).fetchall()
    assert [request.arrived_at_us for request in newest] == sorted(
        (request.arrived_at_us for request in newest), reverse=True
    )
    assert all(files == of_days for _, files, of_days in days), "one file a day, when it is closed"
    partitions = sorted(path.name for path in (archive_folder(database) / "usage").iterdir())
    assert partitions == [f"date=2025-11-0{day}" for day in (3, 4, 5, 6)]


def test_what_arrives_late_for_an_archived_day_is_read_and_merged_into_one_file(
    database: Path,
) -> None:
    records = fill(database)
    maintain(database, Retention(minute_days=1), now_us=NOW_US)
    late = traffic(MONDAY_US, MONDAY_US + MINUTE_US, per_second=3, first_seq=records + 1, seed=9)
    commit(database, Batch(late.records), now_us=NOW_US)
    raw, sums = state(database, RAW), state(database, SUMS[1:])
    assert len(raw[0]) == records + len(late.records)
    assert maintain(database, Retention(minute_days=1), now_us=NOW_US).merged == 1
    assert state(database, RAW) == raw
    assert state(database, SUMS[1:]) == sums
    files = list((archive_folder(database) / "usage").glob("date=2025-11-03/*"))
    assert len(files) == 1
    assert holds(database) == []


def test_rollups_made_anew_are_those_that_were_kept_commit_by_commit(database: Path) -> None:
    records = fill(database)
    kept = state(database, ROLLED)
    assert rebuild_rollups(database, 0) == records
    assert state(database, ROLLED) == kept
    maintain(database, Retention(minute_days=2), now_us=MONDAY_US + 3 * DAY_US)
    kept = state(database, ROLLED)
    with open_writer(database) as connection:
        connection.execute("UPDATE usage_minute SET item_us = item_us + 1")
        connection.execute("DELETE FROM latency_hour WHERE bucket % 7 = 0")
        connection.execute("DELETE FROM node_hour")
    assert len(holds(database)) == 3
    fold_us = (MONDAY_US + 3 * DAY_US) // DAY_US * DAY_US - DAY_US
    assert rebuild_rollups(database, fold_us) == records
    assert state(database, ROLLED) == kept
    assert holds(database) == []


def test_a_database_is_made_anew_from_its_archive(database: Path) -> None:
    fill(database)
    maintain(database, Retention(minute_days=2), now_us=NOW_US)
    raw, rolled = state(database, RAW), state(database, ROLLED)
    with pytest.raises(DatabaseUnusableError, match="move it away first"):
        rebuild_database(database, 0, now_us=1)
    database.unlink()
    (archive_folder(database) / "usage/date=2025-11-03/unfinished.parquet.new").write_bytes(b"PAR")
    fold_us = NOW_US // DAY_US * DAY_US - DAY_US
    assert rebuild_database(database, fold_us, now_us=1) == len(raw[0])
    assert state(database, RAW) == raw
    assert state(database, ROLLED) == rolled


def test_files_that_a_killed_maintenance_left_repeat_nothing_when_a_database_is_made_anew(
    database: Path,
) -> None:
    records = fill(database)
    maintain(database, Retention(), now_us=NOW_US)
    late = traffic(MONDAY_US, MONDAY_US + MINUTE_US, per_second=3, first_seq=records + 1, seed=9)
    commit(database, Batch(late.records), now_us=NOW_US)
    archive_before(database, NOW_US, now_us=NOW_US)
    folder = archive_folder(database)
    parts = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    maintain(database, Retention(), now_us=NOW_US)
    raw = state(database, RAW)
    assert len(raw[0]) == records + len(late.records)
    merged = set(folder.rglob("*.parquet"))
    assert merged - set(parts)
    assert set(parts) - merged
    for path, content in parts.items():
        path.write_bytes(content)
    for _ in range(2):
        database.unlink()
        assert rebuild_database(database, 0, now_us=1) == len(raw[0])
        assert state(database, RAW) == raw
        assert holds(database) == []


def test_a_moved_database_finds_its_archive_beside_it(database: Path, tmp_path: Path) -> None:
    fill(database)
    maintain(database, Retention(), now_us=NOW_US)
    raw = state(database, RAW)
    elsewhere = tmp_path / "it's elsewhere"
    elsewhere.mkdir()
    for path in (database, archive_folder(database)):
        path.rename(elsewhere / path.name)
    moved = elsewhere / database.name
    assert state(moved, RAW) == raw, "a reader"
    commit(moved, Batch(), now_us=NOW_US)
    with duckdb.connect(str(moved), read_only=True) as stranger:
        assert stranger.execute("SELECT count(*) FROM usage_record").fetchall() == [(len(raw[0]),)]


def test_a_lost_or_cut_file_of_the_archive_is_named(database: Path) -> None:
    fill(database)
    maintain(database, Retention(), now_us=NOW_US)
    [first, second, *_] = sorted((archive_folder(database) / "usage").rglob("*.parquet"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-100])
    with (
        pytest.raises(DatabaseUnusableError, match="rebuild --from-archive"),
        open_reader(database) as connection,
    ):
        list(check_database(connection, database))
    with open_reader(database) as connection:
        finding = next(iter(check_database(connection, database)))
    assert not finding.holds
    assert first.name in finding.text
    assert second.name in finding.text


def test_facts_that_arrive_while_a_day_is_archived_stop_it_and_nothing_is_lost(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)
    raw = state(database, RAW)
    take_over = archive._take_over

    # As another importer would, between the file and its registration.
    def late(engine: duckdb.DuckDBPyConnection, file: ArchiveFile) -> None:
        engine.execute(
            "INSERT INTO usage_record_hot SELECT * REPLACE (arrived_at_us + 1 AS arrived_at_us) "
            "FROM usage_record_hot ORDER BY arrived_at_us LIMIT 1"
        )
        take_over(engine, file)

    monkeypatch.setattr(archive, "_take_over", late)
    with pytest.raises(ArchiveConflictError):
        archive_before(database, NOW_US, now_us=NOW_US)
    monkeypatch.undo()
    assert state(database, RAW) == raw
    assert list(archive_folder(database).rglob("*.parquet*")) == []
    archive_before(database, NOW_US, now_us=NOW_US)
    assert state(database, RAW) == raw


MAINTAINER = """
import sys
from collections import Counter
from pathlib import Path
from store import Retention, maintain
from tests.integration.test_archive import NOW_US
print("ready", flush=True)
maintain(Path(sys.argv[1]), Retention(minute_days=1), now_us=NOW_US)
"""


def test_maintenance_killed_at_any_moment_loses_and_repeats_nothing(database: Path) -> None:
    fill(database)
    raw, sums = state(database, RAW), state(database, SUMS)
    copy = database.with_name("copy.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", MAINTAINER, str(database)], stdout=subprocess.PIPE, text=True
    ) as whole:
        shutil.copyfile(database, copy)
        assert whole.wait() == 0
    database.unlink()
    shutil.rmtree(archive_folder(database))
    shutil.copyfile(copy, database)
    # Each step writes something: killed when so many files and bytes were there.
    for size in (1, 2, 3, 5, 8):
        with subprocess.Popen(
            [sys.executable, "-c", MAINTAINER, str(database)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while process.poll() is None:
                if len(list(archive_folder(database).rglob("*.parquet*"))) >= size:
                    process.send_signal(signal.SIGKILL)
                    break
                os.sched_yield()
        assert state(database, RAW) == raw
        assert state(database, SUMS) == sums
    maintain(database, Retention(minute_days=1), now_us=NOW_US)
    assert state(database, RAW) == raw
    assert state(database, SUMS) == sums
    assert holds(database) == []
    # Nor does what it left behind: files that no database has named.
    database.unlink()
    rebuild_database(database, 0, now_us=1)
    assert state(database, RAW) == raw
    assert holds(database) == []


def test_facts_out_of_date_are_deleted_and_their_costs_are_kept(database: Path) -> None:
    fill(database)
    costs = direct_and_machine(database)
    sums = state(database, SUMS)
    keep = Retention(minute_days=1, archive_days=2)
    dropped = maintain(database, keep, now_us=NOW_US).dropped
    assert dropped > 0
    assert direct_and_machine(database) == costs
    assert state(database, SUMS) == sums
    [records, _] = state(database, RAW)
    assert 0 < len(records) < dropped
    assert holds(database) == [], "what was deleted on purpose is not missing"
    rebuild_rollups(database, NOW_US // DAY_US * DAY_US)
    assert direct_and_machine(database) == costs


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    folds=st.lists(st.integers(0, 30), min_size=1, max_size=4),
    workers=st.lists(st.integers(0, 5), min_size=2, max_size=6),
)
def test_hours_hold_every_share_that_their_minutes_had(
    tmp_path_factory: pytest.TempPathFactory, folds: list[int], workers: list[int]
) -> None:
    database = tmp_path_factory.mktemp("fold") / "usage.duckdb"
    start_us = MONDAY_US
    for hour, ready in enumerate(workers):
        at_us = start_us + hour * 23 * MINUTE_US
        samples = [
            node_sample(
                sampled_at_us=at_us + step * 40_000_000,
                interval_us=40_000_000,
                workers_ready=ready + step % 2,
                busy_us=step,
            )
            for step in range(1, 5)
        ]
        records = [
            usage_record(arrived_at_us=at_us + i * 30_000_000, compute_us=i) for i in range(4)
        ]
        commit(database, Batch(records, samples), now_us=at_us)
    sums = state(database, SUMS)
    for fold in folds:
        with open_writer(database) as connection:
            fold_minutes(connection, MONDAY_US + fold * HOUR_US)
        assert state(database, SUMS) == sums


def test_whole_days_are_read_as_days_and_are_the_sums_of_their_hours(database: Path) -> None:
    fill(database)
    maintain(database, Retention(minute_days=1), now_us=NOW_US)
    begin_us = MONDAY_US // DAY_US * DAY_US
    days = Period(begin_us, begin_us + 6 * DAY_US)
    with open_reader(database) as connection:
        by_day = read_series(connection, days, DAY_US)
        by_hour = read_series(connection, days, HOUR_US)
        [latency] = read_latency(connection, days)
        latency_by_hour = read_latency(connection, days, HOUR_US)
        uptimes = read_uptimes(connection, days, DAY_US, [0])
        changed = read_uptimes(connection, days, DAY_US, [0, MONDAY_US + 2 * DAY_US])
        connection.execute("SELECT 1")
    assert len(by_day) == 4
    assert sum((totals for _, totals in by_day), Totals()) == sum(
        (totals for _, totals in by_hour), Totals()
    )
    counts = sum((Counter(hour.counts) for hour in latency_by_hour), Counter[int]())
    assert latency.counts == counts
    assert [row.from_us for row in uptimes] == [begin_us + day * DAY_US for day in range(4)]
    assert len(changed) == 4, "a price that changes within a day is looked up by the hour"
    assert {row.time.priced_at_us for row in changed} == {0, MONDAY_US + 2 * DAY_US}
    with open_writer(database) as connection:
        connection.execute("UPDATE latency_day SET requests = 2 * requests")
    assert len(holds(database)) == 1
    with open_reader(database) as connection:
        [doubled] = read_latency(connection, days)
    assert sum(doubled.counts.values()) == 2 * counts.total(), "read from days"


def test_merging_leaves_days_of_one_file_alone(database: Path) -> None:
    fill(database)
    archive_before(database, NOW_US, now_us=NOW_US)
    before = sorted(archive_folder(database).rglob("*.parquet"))
    assert merge_days(database, NOW_US, now_us=NOW_US) == []
    assert sorted(archive_folder(database).rglob("*.parquet")) == before


def test_a_price_is_looked_for_at_both_ends_of_a_machines_time(database: Path) -> None:
    fill(database)
    machine = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")

    def priced_from(begin_us: int | None) -> bool:
        catalogue = Catalogue([Price(machine, 1, begin_us, "today", "test")])

        def is_priced(wanted: Machine, at_us: int) -> bool:
            try:
                catalogue.at(wanted, at_us)
            except LookupError:
                return False
            return True

        with open_reader(database) as connection:
            return check_prices(connection, is_priced).holds

    assert priced_from(None)
    assert not priced_from(MONDAY_US + DAY_US)
