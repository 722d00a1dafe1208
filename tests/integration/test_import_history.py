"""Imported rows of days that are archived, folded or lost: each counts once, none is missed."""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.importing.command import ALL_STORED, SOME_REJECTED, add_arguments, run
from store import (
    DAY_US,
    MINUTE_US,
    Retention,
    check_database,
    fold_before_us,
    gaps,
    maintain,
    open_reader,
    open_writer,
    read_boots,
    rebuild_database,
)

START_US = 1_700_000_000_000_000
STEP_US = 7 * MINUTE_US
ROWS = 900  # of some four days
END_US = START_US + ROWS * STEP_US
HEADER = "when,who,took,worked\n"
BAD = "x,team,1,1\n"
MAP = """
[time]
column = "when"
format = "unix_us"
[columns]
tenant = "who"
total_us = "took"
compute_us = "worked"
[units]
total_us = "us"
compute_us = "us"
"""
RETENTION = Retention(hot_hours=1, minute_days=1)

Sums = dict[int, tuple[int, int, int]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def bring_in(database: Path, *paths: Path, text: str = MAP) -> int:
    map_file = database.with_name("map.toml")
    map_file.write_text(text)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = [*paths, "--map", map_file, "--database", database]
    return run(parser.parse_args([str(argument) for argument in given]))


def log(numbers: Sequence[int]) -> str:
    return "".join(f"{START_US + n * STEP_US},team-{n % 3},{n + 100},{n}\n" for n in numbers)


def by_day(numbers: Sequence[int]) -> Sums:
    """Requests, their time and their worker time, as the rows of `log` say."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for n in numbers:
        day = found[(START_US + n * STEP_US) // DAY_US]
        for place, value in enumerate((1, n + 100, n)):
            day[place] += value
    return {day: (requests, total, item) for day, (requests, total, item) in found.items()}


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def require_sound(database: Path, numbers: Sequence[int], *, kept: bool = True) -> None:
    """Hold every rollup to the rows of `log`, and raw facts to them where they are `kept`."""
    for rollup in ("usage_rollup", "usage_daily"):
        rows = query(
            database,
            f"SELECT at_us // {DAY_US}, sum(requests)::BIGINT, sum(total_us)::BIGINT, "
            f"sum(item_us)::BIGINT FROM {rollup} GROUP BY 1",
        )
        assert {day: tuple(sums) for day, *sums in rows} == by_day(numbers), rollup
    for rollup in ("latency_rollup", "latency_daily"):
        assert query(database, f"SELECT sum(requests) FROM {rollup}") == [(len(numbers),)]
    if kept:
        counts = "SELECT count(*), count(DISTINCT record_id) FROM usage_record"
        assert query(database, counts) == [(len(numbers), len(numbers))]
    with open_reader(database) as connection:
        assert [one for one in check_database(connection, database) if not one.holds] == []
        assert gaps(read_boots(connection)) == []


@pytest.mark.parametrize("archive_days", [None, 1])
def test_rows_of_days_that_are_archived_and_folded_or_deleted_count_once(
    tmp_path: Path, database: Path, archive_days: int | None
) -> None:
    kept = archive_days is None
    retention = Retention(hot_hours=1, minute_days=1, archive_days=archive_days)
    log_, other = tmp_path / "log.csv", tmp_path / "other.csv"
    every_second, between, last = range(0, ROWS, 2), range(1, ROWS, 4), range(3, ROWS, 4)
    imports = [
        (log_, HEADER + log(every_second), every_second),
        (log_, HEADER + log(every_second) + BAD + log(between), between),
        (other, HEADER + log(last) + BAD, last),
    ]
    there: list[int] = []
    for path, text, fresh in imports:
        path.write_text(text)
        bring_in(database, path)
        there += fresh
        # Beside what the day became before, and as a part of it.
        require_sound(database, there, kept=kept)
        maintain(database, retention, now_us=END_US + 30 * DAY_US)
        require_sound(database, there, kept=kept)
    assert query(database, "SELECT count(*) FROM usage_minute") == [(0,)]
    assert query(database, "SELECT count(*) FROM usage_record") == [(ROWS if kept else 0,)]
    assert bring_in(database, log_, other) == ALL_STORED
    require_sound(database, there, kept=kept)


def test_rejected_rows_are_no_gaps_in_seq_also_when_nothing_is_known_of_them_any_more(
    tmp_path: Path, database: Path
) -> None:
    path, fork = tmp_path / "log.csv", tmp_path / "fork.csv"
    begun = HEADER + BAD + log(range(10)) + BAD + log(range(10, 20)) + BAD
    path.write_text(begun)
    assert bring_in(database, path) == SOME_REJECTED
    path.write_text(begun + BAD + log(range(20, 30)))
    fork.write_text(begun + log(range(30, 40)) + BAD)
    assert bring_in(database, path, fork) == SOME_REJECTED
    boots = "SELECT node_id, records, seq_min, seq_max FROM boot ORDER BY records"
    # Two files cannot go on with the same boot: the second one has its own.
    expected = [("import-fork", 10, 1, 10), ("import-log", 30, 1, 30)]
    assert query(database, boots) == expected
    assert query(database, "SELECT count(*) FROM rejected_line") == [(5,)]
    require_sound(database, range(40))
    with open_writer(database) as connection:
        connection.execute("DELETE FROM rejected_line")
    require_sound(database, range(40))


def test_where_rejected_rows_have_numbers_from_before_no_number_is_given_twice(
    tmp_path: Path, database: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + BAD + log(range(10)))
    bring_in(database, path)
    with open_writer(database) as connection:
        connection.execute("DELETE FROM source_position WHERE source LIKE '%#unnumbered'")
        connection.execute("UPDATE usage_record_hot SET seq = seq + 1")
    path.write_text(HEADER + BAD + log(range(20)) + BAD)
    bring_in(database, path)
    seqs = [seq for (seq,) in query(database, "SELECT seq FROM usage_record ORDER BY seq")]
    assert seqs == list(range(2, 22))


def test_after_a_database_was_made_anew_from_its_archive_an_import_adds_what_was_lost_only(
    tmp_path: Path, database: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(range(300)) + BAD + log(range(300, ROWS)))
    bring_in(database, path)
    maintain(database, RETENTION, now_us=END_US)
    [(hot,)] = query(database, "SELECT count(*) FROM usage_record_hot")
    database.unlink()
    fold_before = fold_before_us(RETENTION, END_US)
    assert 0 < hot == ROWS - rebuild_database(database, fold_before, now_us=END_US)
    assert bring_in(database, path) == SOME_REJECTED
    require_sound(database, range(ROWS))
    assert bring_in(database, path) == ALL_STORED
    require_sound(database, range(ROWS))


def test_a_rejected_row_is_of_the_node_that_the_map_names(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(range(3)) + BAD)
    bring_in(database, path, text=MAP + '[constants]\nnode_id = "gateway"\n')
    for table in ("usage_record", "rejected_line"):
        assert query(database, f"SELECT DISTINCT node_id FROM {table}") == [("gateway",)]
