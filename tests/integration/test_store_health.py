"""Whether data is whole and fresh is told by what was committed, and by nothing else."""

from pathlib import Path

import pytest

from store import (
    MINUTE_US,
    Advance,
    Batch,
    Period,
    UsageMinute,
    commit,
    gaps,
    open_reader,
    read_boots,
    read_commit_minutes,
    read_records_per_s,
    read_rejected_lines,
    read_rejected_reasons,
    read_storage,
    silent,
)
from store.archive import archive_before
from tests.fixtures_usage import (
    BOOT_ID,
    MONDAY_US,
    NODE_ID,
    SECOND_US,
    node_sample,
    rejected_line,
    usage_record,
)
from usage import Position

SECOND_BOOT = "0198c0de-0000-7000-8000-000000000002"
OTHER_BOOT = "0198c0de-0000-7000-8000-000000000003"
HOUR = Period(MONDAY_US, MONDAY_US + 60 * MINUTE_US)
DAY_US = 24 * 60 * MINUTE_US


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def spooled(number: int, batch: Batch) -> Batch:
    """Return `batch` as the `number`-th that came from the spool of a node."""
    batch.advances.append(
        Advance(NODE_ID, BOOT_ID, Position(1, number * 100), Position(1, number * 100 + 100))
    )
    return batch


def test_commits_are_counted_by_minute_with_the_longest_lag(database: Path) -> None:
    commits = [
        # (time of the commit, arrivals)
        (MONDAY_US + 10 * SECOND_US, [MONDAY_US + 4 * SECOND_US, MONDAY_US + 9 * SECOND_US]),
        (MONDAY_US + 50 * SECOND_US, [MONDAY_US + 41 * SECOND_US]),
        (MONDAY_US + 70 * SECOND_US, [MONDAY_US + 69 * SECOND_US]),
    ]
    for number, (now_us, arrivals) in enumerate(commits):
        records = [usage_record(seq=number + 1, arrived_at_us=at) for at in arrivals]
        batch = Batch(records, [node_sample()], [rejected_line()])
        commit(database, spooled(number, batch), now_us=now_us)
    commit(database, Batch([usage_record(arrived_at_us=MONDAY_US)]), now_us=MONDAY_US + MINUTE_US)
    with open_reader(database) as connection:
        first, second = read_commit_minutes(connection, HOUR)
        only_second = read_commit_minutes(
            connection, Period(MONDAY_US + MINUTE_US, MONDAY_US + 2 * MINUTE_US)
        )
    assert (first.minute_us, first.commits, first.records) == (MONDAY_US, 2, 3)
    assert (first.samples, first.rejected, first.lag_us_max) == (2, 2, 9 * SECOND_US)
    # What was not read from a spool may be old: it has no lag.
    assert (second.commits, second.records, second.lag_us_max) == (2, 2, SECOND_US)
    assert 0 <= first.lock_wait_us_max <= first.lock_wait_us
    assert first.held_us >= 0
    assert only_second == [second]


def test_records_per_second_are_those_of_the_last_minutes_up_to_now(database: Path) -> None:
    for minute, count in ((0, 50), (3, 30), (4, 12)):
        now_us = MONDAY_US + minute * MINUTE_US + SECOND_US
        records = [usage_record(seq=minute * 100 + n + 1) for n in range(count)]
        commit(database, Batch(records), now_us=now_us)
    now_us = MONDAY_US + 4 * MINUTE_US + 30 * SECOND_US
    with open_reader(database) as connection:
        assert read_records_per_s(connection, now_us) == pytest.approx(92 / 270)
        assert read_records_per_s(connection, now_us, minutes=2) == pytest.approx(42 / 90)
        assert read_records_per_s(connection, now_us, minutes=1) == pytest.approx(12 / 30)
        assert read_records_per_s(connection, now_us + 60 * MINUTE_US) == 0


def test_rejected_lines_are_grouped_by_reason_without_its_numbers_and_listed_newest_first(
    database: Path,
) -> None:
    reasons = [
        "JSON is malformed: invalid character (byte 0)",
        "JSON is malformed: invalid character (byte 17)",
        "busy_us is -3.5; accepted: 0 or more",
        "JSON is malformed: invalid character (byte 4)",
    ]
    for number, reason in enumerate(reasons):
        line = rejected_line(reason=reason, line=f"line {number}", byte_offset=number)
        commit(database, Batch(rejected=[line]), now_us=MONDAY_US + number)
    with open_reader(database) as connection:
        malformed, busy = read_rejected_reasons(connection)
        newest = read_rejected_lines(connection, 2)
    assert malformed.reason == "JSON is malformed: invalid character (byte #)"
    assert (malformed.lines, malformed.newest_at_us) == (3, MONDAY_US + 3)
    assert malformed.newest_reason == reasons[3]
    assert (busy.reason, busy.lines) == ("busy_us is #; accepted: # or more", 1)
    assert [(line.line, line.rejected_at_us) for line in newest] == [
        ("line 3", MONDAY_US + 3),
        ("line 2", MONDAY_US + 2),
    ]


def test_records_that_are_not_stored_are_gaps_of_their_boot(database: Path) -> None:
    def records(boot_id: str, seqs: list[int]) -> list[object]:
        return [usage_record(boot_id=boot_id, seq=seq, arrived_at_us=MONDAY_US) for seq in seqs]

    counted = UsageMinute(
        minute_us=MONDAY_US, node_id="triton", boot_id=OTHER_BOOT, model="m", model_version="1",
        requests=7, items=7, item_us=7, queue_us=0, compute_us=7, total_us=7,
    )  # fmt: skip
    commit(
        database,
        Batch(
            [*records(BOOT_ID, [1, 2, 3]), *records(SECOND_BOOT, [4, 9, 6])],  # type: ignore[list-item]
            [node_sample(boot_id=SECOND_BOOT, records_dropped=2)],
            minutes=[counted],
        ),
        now_us=1,
    )
    with open_reader(database) as connection:
        boots = {boot.boot_id: boot for boot in read_boots(connection)}
    assert {boot.boot_id for boot in gaps(list(boots.values()))} == {SECOND_BOOT}
    holed = boots[SECOND_BOOT]
    assert (holed.missing_before, holed.missing_within, holed.dropped) == (3, 3, 2)
    assert boots[BOOT_ID].missing_before == boots[BOOT_ID].missing_within == 0
    assert (boots[OTHER_BOOT].records, boots[OTHER_BOOT].requests) == (0, 7)
    commit(database, Batch([usage_record(boot_id=SECOND_BOOT, seq=5)]), now_us=2)
    with open_reader(database) as connection:
        [holed] = gaps(read_boots(connection))
    assert (holed.missing_before, holed.missing_within) == (3, 2)


def test_the_newest_boot_of_a_node_is_silent_when_it_leaves_no_fact(database: Path) -> None:
    facts = [
        # (node, boot, seconds after which it was last heard of)
        ("node-1", BOOT_ID, 10),
        ("node-1", SECOND_BOOT, 300),
        ("node-2", OTHER_BOOT, 100),
    ]
    samples = [
        node_sample(node_id=node, boot_id=boot, sampled_at_us=MONDAY_US + seconds * SECOND_US)
        for node, boot, seconds in facts
    ]
    commit(database, Batch(samples=samples), now_us=1)
    now_us = MONDAY_US + 310 * SECOND_US
    with open_reader(database) as connection:
        boots = read_boots(connection)
    assert [boot.boot_id for boot in boots] == [SECOND_BOOT, OTHER_BOOT, BOOT_ID]
    assert [boot.boot_id for boot in silent(boots, now_us, 60 * SECOND_US)] == [OTHER_BOOT]
    assert silent(boots, now_us, 210 * SECOND_US) == []
    assert {boot.node_id for boot in silent(boots, now_us, 5 * SECOND_US)} == {"node-1", "node-2"}


def test_what_is_stored_where_is_counted_also_when_it_was_archived(database: Path) -> None:
    records = [
        usage_record(seq=day + 1, arrived_at_us=MONDAY_US + day * DAY_US) for day in range(3)
    ]
    commit(database, Batch(records, [node_sample()], [rejected_line()]), now_us=1)
    with open_reader(database) as connection:
        before = read_storage(connection)
    assert (before.records, before.samples, before.rejected_lines) == (3, 1, 1)
    assert (before.archived_files, before.archived_records, before.archived_bytes) == (0, 0, 0)
    assert (before.first_us, before.last_us) == (MONDAY_US, MONDAY_US + 2 * DAY_US)
    assert before.oldest_in_file_us == MONDAY_US
    assert before.file_bytes == database.stat().st_size
    closed_us = (MONDAY_US // DAY_US + 2) * DAY_US
    archive_before(database, closed_us, now_us=closed_us)
    with open_reader(database) as connection:
        after = read_storage(connection)
    assert (after.records, after.samples) == (1, 0)
    assert (after.archived_records, after.archived_samples) == (2, 1)
    files = list(database.parent.rglob("*.parquet"))
    assert after.archived_files == len(files) == 3
    assert after.archived_bytes == sum(file.stat().st_size for file in files)
    assert (after.first_us, after.last_us) == (before.first_us, before.last_us)
    assert after.oldest_in_file_us == MONDAY_US + 2 * DAY_US


def test_a_database_without_facts_is_healthy_and_empty(database: Path) -> None:
    commit(database, Batch(), now_us=MONDAY_US)
    with open_reader(database) as connection:
        [minute] = read_commit_minutes(connection, HOUR)
        assert (minute.commits, minute.records, minute.lag_us_max) == (1, 0, None)
        assert read_records_per_s(connection, MONDAY_US) == 0
        assert read_rejected_reasons(connection) == []
        assert read_boots(connection) == []
        assert read_storage(connection).first_us is None
        assert read_storage(connection).oldest_in_file_us is None
