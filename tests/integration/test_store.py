"""The database file: whole commits, true rollups, one lock, clear refusals."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import (
    MINUTE_US,
    Advance,
    Batch,
    DatabaseBusyError,
    DatabaseMissingError,
    DatabaseUnusableError,
    Period,
    PositionConflictError,
    commit,
    open_reader,
    open_writer,
    read_busy_times,
    read_commits,
    read_latest_requests,
    read_positions,
    read_state,
    read_traffic,
    read_uptimes,
)
from store.latency_histogram import bucket_of
from tests.fixtures_usage import (
    BOOT_ID,
    MONDAY_US,
    NODE_ID,
    SECOND_US,
    node_sample,
    rejected_line,
    traffic,
    usage_record,
)
from usage import NodeSample, Position

HOUR = Period(MONDAY_US, MONDAY_US + 60 * MINUTE_US)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def test_a_record_and_a_sample_are_stored_field_by_field(database: Path) -> None:
    record = usage_record(labels={"b": "2", "a": "1"}, error=None, client_region="eu")
    commit(database, Batch([record], [node_sample()]), now_us=1)
    for table, fact in (("usage_record", record), ("node_sample", node_sample())):
        with open_reader(database) as connection:
            cursor = connection.execute(f"FROM {table}")
            names = [column[0] for column in cursor.description or []]
            [stored] = cursor.fetchall()
        for name, value in zip(names, stored, strict=True):
            expected = getattr(fact, name)
            assert (str(value) if name.endswith("_id") and value else value) == (
                str(expected) if name.endswith("_id") and expected else expected
            ), name
        assert set(names) == set(fact.__struct_fields__) - {"schema"}


def test_rollups_over_many_commits_say_what_the_raw_records_say(database: Path) -> None:
    batch = traffic(MONDAY_US, MONDAY_US + 3 * MINUTE_US, per_second=40)
    for start in range(0, len(batch.records), 700):
        commit(database, Batch(batch.records[start : start + 700]), now_us=1)
    for start in range(0, len(batch.samples), 50):
        commit(database, Batch([], batch.samples[start : start + 50]), now_us=1)
    with open_reader(database) as connection:
        steps = read_traffic(connection, HOUR, MINUTE_US)
        uptimes = read_uptimes(connection, HOUR, HOUR.length_us, [0])
    for step in steps:
        came = [
            r for r in batch.records if step.from_us <= r.arrived_at_us < step.from_us + MINUTE_US
        ]
        assert step.requests == len(came)
        assert step.failures == sum(r.status >= 400 for r in came)
        assert step.latency == Counter(bucket_of(r.total_us) for r in came if r.status < 400)
    assert sum(step.requests for step in steps) == len(batch.records)
    [uptime] = uptimes
    assert uptime.time.uptime_us == 3 * MINUTE_US
    assert uptime.busy_us == sum(sample.busy_us for sample in batch.samples)
    raw = "sum(compute_us::HUGEINT * items), sum(total_us)::BIGINT, sum(request_bytes)::BIGINT"
    rollup = "sum(item_us), sum(total_us)::BIGINT, sum(request_bytes)::BIGINT"
    assert rows(database, f"SELECT {raw} FROM usage_record") == rows(
        database, f"SELECT {rollup} FROM usage_minute"
    )


def test_records_that_differ_only_in_a_null_or_a_label_are_kept_apart(database: Path) -> None:
    kinds: list[dict[str, object]] = [
        {"model": None}, {"model": "x"}, {"labels": {}}, {"labels": {"team": "a"}},
        {"labels": {"team": "b"}}, {"labels": {"team": "a", "project": "p"}}, {"error": "e"},
    ]  # fmt: skip
    for _ in range(3):
        commit(database, Batch([usage_record(**kind) for kind in kinds]), now_us=1)
    assert rows(database, "SELECT count(*) FROM dimension_set") == [(len(kinds),)]
    assert rows(database, "SELECT DISTINCT requests FROM usage_minute") == [(3,)]


@settings(deadline=None, max_examples=25)
@given(
    samples=st.lists(
        st.tuples(st.integers(1, 4 * MINUTE_US), st.integers(0, 64), st.floats(0, 1)),
        min_size=1,
        max_size=8,
    )
)
def test_samples_cut_at_minutes_sum_to_themselves(
    tmp_path_factory: pytest.TempPathFactory, samples: list[tuple[int, int, float]]
) -> None:
    database = tmp_path_factory.mktemp("cut") / "usage.duckdb"
    facts: list[NodeSample] = []
    until_us = MONDAY_US
    for interval_us, workers, share in samples:
        until_us += interval_us
        facts.append(
            node_sample(
                sampled_at_us=until_us,
                interval_us=interval_us,
                workers_ready=workers,
                busy_us=int(share * workers * interval_us),
            )
        )
    commit(database, Batch([], facts), now_us=1)
    with open_reader(database) as connection:
        minutes = connection.execute(
            "SELECT minute_us, uptime_us, capacity_us, busy_us FROM node_minute ORDER BY ALL"
        ).fetchall()
    assert sum(m[1] for m in minutes) == until_us - MONDAY_US
    assert sum(m[2] for m in minutes) == sum(f.interval_us * f.workers_ready for f in facts)
    assert sum(m[3] for m in minutes) == sum(f.busy_us for f in facts)
    assert all(0 < m[1] <= MINUTE_US and 0 <= m[3] <= m[2] + len(facts) for m in minutes)


def test_the_largest_values_the_contract_allows_do_not_break_the_rollups(database: Path) -> None:
    worst = usage_record(
        compute_us=864_000_000_000, queue_us=864_000_000_000, total_us=864_000_000_000,
        items=1_000_000, batch_size=1_000_000, request_bytes=2**48, response_bytes=2**48,
    )  # fmt: skip
    long = node_sample(interval_us=864_000_000_000, workers_ready=1_000_000, busy_us=2**48)
    for _ in range(3):
        commit(database, Batch([worst] * 2_000, [long]), now_us=1)
    [(item_us,)] = rows(database, "SELECT sum(item_us) FROM usage_minute")
    assert item_us == 6_000 * 864_000_000_000 * 1_000_000


def test_a_commit_that_begins_behind_what_is_stored_stores_nothing(database: Path) -> None:
    def batch(start: Position, end: Position) -> Batch:
        return Batch([usage_record()], advances=[Advance(NODE_ID, BOOT_ID, start, end)])

    commit(database, batch(Position(1, 0), Position(1, 100)), now_us=1)
    commit(database, batch(Position(2, 0), Position(2, 50)), now_us=1)
    for start in (Position(1, 0), Position(1, 100), Position(2, 0), Position(2, 99)):
        with pytest.raises(PositionConflictError, match="stored up to"):
            commit(database, batch(start, Position(3, 1)), now_us=1)
    assert read_positions(database) == {(NODE_ID, BOOT_ID): Position(2, 50)}
    assert rows(database, "SELECT count(*) FROM usage_record") == [(2,)]


def test_the_commit_counter_changes_with_every_commit_and_the_state_is_told(
    database: Path,
) -> None:
    batch = traffic(MONDAY_US, MONDAY_US + 10 * SECOND_US)
    commit(database, Batch(batch.records, batch.samples, [rejected_line()]), now_us=77)
    with open_reader(database) as connection:
        assert read_commits(connection) == 1
        state = read_state(connection)
    assert (state.commits, state.committed_at_us, state.rejected_lines) == (1, 77, 1)
    assert state.records == len(batch.records)
    assert state.first_fact_us == MONDAY_US
    assert state.last_fact_us == MONDAY_US + 10 * SECOND_US


def test_an_empty_database_has_no_first_and_no_last_fact(database: Path) -> None:
    commit(database, Batch(), now_us=1)
    with open_reader(database) as connection:
        state = read_state(connection)
        assert read_latest_requests(connection, 10) == []
        assert read_traffic(connection, HOUR, MINUTE_US) == []
    assert (state.first_fact_us, state.last_fact_us, state.records) == (None, None, 0)


def test_executed_requests_without_a_sample_of_their_minute_are_told_not_priced(
    database: Path,
) -> None:
    hit = usage_record(seq=2, cache="memory", compute_us=0, batch_size=0)
    late = usage_record(seq=3, arrived_at_us=MONDAY_US + MINUTE_US)
    commit(database, Batch([usage_record(), hit, late], [node_sample()]), now_us=1)
    with open_reader(database) as connection:
        busy = read_busy_times(connection, HOUR, MINUTE_US, [0])
        logged = read_latest_requests(connection, 10)
    assert busy.unmeasured == {MONDAY_US + MINUTE_US: 1}
    assert [from_us for from_us, _ in busy.rows] == [MONDAY_US]
    found = [(request.executed, request.busy is not None) for request in logged]
    assert found == [(True, False), (False, False), (True, True)]


def test_a_price_change_cuts_machine_time_where_it_happens(database: Path) -> None:
    samples = [
        node_sample(sampled_at_us=MONDAY_US + i * MINUTE_US, interval_us=MINUTE_US)
        for i in range(1, 5)
    ]
    commit(database, Batch([], samples), now_us=1)
    change_us = MONDAY_US + 3 * MINUTE_US
    with open_reader(database) as connection:
        uptimes = read_uptimes(connection, HOUR, HOUR.length_us, [0, change_us])
    assert [(u.time.priced_at_us, u.time.uptime_us) for u in uptimes] == [
        (0, 3 * MINUTE_US),
        (change_us, MINUTE_US),
    ]


def hold_open(database: Path, *, read_only: bool) -> "subprocess.Popen[str]":
    """Return a process that has the file open until its stdin is closed."""
    program = (
        "import duckdb, sys\n"
        f"connection = duckdb.connect({str(database)!r}, read_only={read_only})\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    return holder


@pytest.mark.parametrize("read_only", [True, False])
def test_writing_waits_for_the_lock_and_then_says_that_it_is_held(
    database: Path, read_only: bool
) -> None:
    commit(database, Batch([usage_record()]), now_us=1)
    with hold_open(database, read_only=read_only) as holder:
        with pytest.raises(DatabaseBusyError, match="still locked by another process"):
            commit(database, Batch([usage_record()]), now_us=1, wait_s=0.2)
        holder.communicate()
    commit(database, Batch([usage_record()]), now_us=1)
    assert rows(database, "SELECT count(*) FROM usage_record") == [(2,)]


def test_reading_waits_for_the_writer_and_then_says_that_it_is_busy(database: Path) -> None:
    commit(database, Batch([usage_record()]), now_us=1)
    with hold_open(database, read_only=False) as holder:
        with pytest.raises(DatabaseBusyError), open_reader(database, wait_s=0.2):
            pass
        holder.communicate()
    assert rows(database, "SELECT count(*) FROM usage_record") == [(1,)]


def test_a_missing_a_foreign_a_broken_and_a_newer_file_are_each_refused(
    tmp_path: Path, database: Path
) -> None:
    with pytest.raises(DatabaseMissingError, match="no database yet"), open_reader(database):
        pass
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE mine (i INT)")
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database " * 1000)
    newer = tmp_path / "newer.duckdb"
    commit(newer, Batch(), now_us=1)
    with duckdb.connect(str(newer)) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (999)")
    for path, reason in (
        (foreign, "none of this product's"),
        (broken, "not a valid DuckDB database"),
        (newer, "schema version 999 is newer"),
    ):
        before = path.read_bytes()
        with pytest.raises(DatabaseUnusableError, match=reason), open_reader(path):
            pass
        with pytest.raises(DatabaseUnusableError, match=reason), open_writer(path):
            pass
        assert path.read_bytes() == before, "a refused file is left as it was"


def test_a_commit_killed_at_any_moment_is_whole_or_absent(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, Batch(), now_us=1)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from store import *\n"
        "from tests.fixtures_usage import *\n"
        "from usage import Position\n"
        "path = Path(sys.argv[1])\n"
        "batch = traffic(MONDAY_US, MONDAY_US + 20 * SECOND_US)\n"
        "at = read_positions(path).get((NODE_ID, BOOT_ID), Position(1, 0))\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    end = Position(1, at.offset + len(batch.records))\n"
        "    batch.advances[:] = [Advance(NODE_ID, BOOT_ID, at, end)]\n"
        "    commit(path, batch, now_us=1)\n"
        "    print(end.offset, flush=True)\n"
        "    at = end\n"
    )
    told = 0
    for lines in (1, 2, 3, 1, 2):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(database)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(lines):
                line = process.stdout.readline()
                told = max(told, int(line) if line.strip().isdecimal() else 0)
            process.kill()
        [(records, rollup)] = rows(
            database,
            "SELECT (SELECT count(*) FROM usage_record), "
            "(SELECT coalesce(sum(requests), 0) FROM usage_minute)",
        )
        position = read_positions(database).get((NODE_ID, BOOT_ID), Position(1, 0))
        assert records == rollup == position.offset >= told


def test_the_stored_record_is_what_a_reader_outside_sees_in_stable_columns(
    database: Path,
) -> None:
    commit(database, Batch([usage_record()], [node_sample()], [rejected_line()]), now_us=1)
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in ("usage_record", "node_sample", "rejected_line"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)]
        [(team,)] = connection.execute("SELECT labels['team'] FROM usage_record").fetchall()
    assert team == "checkout"


def test_a_file_that_is_damaged_further_on_is_named_when_it_is_read(database: Path) -> None:
    batch = traffic(MONDAY_US, MONDAY_US + 60 * SECOND_US, per_second=200)
    commit(database, batch, now_us=1)
    content = bytearray(database.read_bytes())
    for position in range(len(content) // 4, len(content) - 4096, 997):
        content[position] ^= 0xFF
    database.write_bytes(content)
    with (
        pytest.raises(DatabaseUnusableError, match=r"usage\.duckdb: damaged"),
        open_reader(database) as connection,
    ):
        read_state(connection)
        read_latest_requests(connection, 10**6)
