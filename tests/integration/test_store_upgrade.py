"""A database file of an older version becomes a current one, whole or not at all."""

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from msgspec.structs import replace

from store import (
    HOUR_US,
    MINUTE_US,
    Batch,
    DatabaseUnusableError,
    commit,
    open_reader,
    open_writer,
    read_commits,
    read_state,
)
from store.compaction import fold_minutes
from store.migrations import MIGRATIONS
from store.rebuild import rebuild_rollups
from tests.fixtures_usage import (
    MONDAY_US,
    SECOND_US,
    node_sample,
    on_behalf,
    traffic,
    usage_record,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def write_version(number: int, database: Path, source: Path) -> None:
    """Make the file that the product made at version `number`, with the facts of `source`."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE schema_migration (version INTEGER NOT NULL)")
        for version in range(1, number + 1):
            connection.execute(MIGRATIONS[version - 1])
            connection.execute("INSERT INTO schema_migration VALUES (?)", [version])
        connection.execute("COMMIT")
        connection.execute(f"ATTACH '{source}' AS now (READ_ONLY)")
        if number < 3:
            copied = {"usage_record_hot": "usage_record", "node_sample": "node_sample"}
            steps: tuple[str, ...] = ("minute",)
        else:
            copied = {name: name for name in ("usage_record_hot", "node_sample_hot", "boot")}
            steps = ("minute", "hour", "day")
        rolled = [f"{kind}_{step}" for kind in ("usage", "latency", "node") for step in steps]
        for table in (*copied, "dimension_set", *rolled):
            described = connection.execute(f"DESCRIBE {table}").fetchall()
            names = ", ".join(row[0] for row in described)
            found = copied.get(table, table)
            connection.execute(f"INSERT INTO {table} SELECT {names} FROM now.{found}")
        connection.execute(
            "CREATE OR REPLACE SEQUENCE dimension_number START WITH "
            + str(connection.execute("SELECT count(*) + 1 FROM dimension_set").fetchall()[0][0])
        )
        connection.execute("UPDATE store_state SET commits = 7, committed_at_us = 8")


def write_version_1(database: Path, batch: Batch) -> None:
    """Make the file that the product made before there were routes, and store `batch` in it."""
    now = database.with_name("now.duckdb")
    now.unlink(missing_ok=True)
    commit(now, batch, now_us=8)
    write_version(1, database, now)


def test_a_file_of_version_1_is_upgraded_whole_and_goes_on(tmp_path: Path) -> None:
    batch = traffic(MONDAY_US, MONDAY_US + 2 * MINUTE_US)
    batch.records[0] = replace(
        batch.records[0], origin="simulated", input_tokens=5, output_tokens=7
    )
    old, fresh = tmp_path / "old.duckdb", tmp_path / "fresh.duckdb"
    write_version_1(old, batch)
    with pytest.raises(DatabaseUnusableError, match="start the collector once"), open_reader(old):
        pass
    more = Batch(
        [usage_record(), on_behalf()], [node_sample(sampled_at_us=MONDAY_US + 121 * 10**6)]
    )
    commit(old, more, now_us=9)
    commit(fresh, batch, now_us=8)
    commit(fresh, more, now_us=9)
    # The numbers of dimension sets depend on the order in which they came.
    numbered = "SELECT * EXCLUDE (dimension_id) FROM {} JOIN dimension_set USING (dimension_id)"
    for sql in (
        "SELECT * FROM usage_record ORDER BY seq, record_id",
        "SELECT * FROM node_sample ORDER BY sampled_at_us",
        "SELECT * FROM node_minute ORDER BY minute_us",
        "SELECT * FROM boot",
        f"{numbered.format('usage_minute')} ORDER BY ALL",
        f"{numbered.format('latency_minute')} ORDER BY ALL",
        "SELECT version FROM schema_migration ORDER BY version",
    ):
        assert rows(old, sql) == rows(fresh, sql), sql
    assert rows(old, "SELECT DISTINCT route FROM usage_record ORDER BY ALL") == [
        ("direct",), ("shadow",)
    ]  # fmt: skip
    with open_reader(old) as connection:
        assert read_commits(connection) == 8
        assert read_state(connection).records == len(batch.records) + 1


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version_1(database, traffic(MONDAY_US, MONDAY_US + SECOND_US))
    broken = (MIGRATIONS[0], MIGRATIONS[1] + "SELECT no_such_column FROM node_sample;")
    monkeypatch.setattr("store.schema.MIGRATIONS", broken)
    with pytest.raises(duckdb.Error, match="no_such_column"), open_writer(database):
        pass
    monkeypatch.undo()
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("FROM schema_migration").fetchall() == [(1,)]
        names = [row[0] for row in connection.execute("DESCRIBE usage_record_hot").fetchall()]
    assert "route" not in names
    commit(database, Batch([on_behalf()]), now_us=1)


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
import store.schema
from store import open_writer
begun = store.schema.transaction
def killed():
    os.kill(os.getpid(), signal.SIGKILL)
@contextmanager
def transaction(connection):
    with begun(connection):
        yield
        if sys.argv[2] == "before the commit":
            killed()
    if sys.argv[2] == "after the commit":
        killed()
store.schema.transaction = transaction
with open_writer(Path(sys.argv[1])):
    killed()
"""


def facts(database: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = (
        "usage_record", "node_sample", "dimension_set", "boot", "usage_rollup", "usage_daily",
        "latency_hour", "node_day", "schema_migration", "store_state",
    )  # fmt: skip
    return {table: rows(database, f"FROM {table} ORDER BY ALL") for table in tables}


@pytest.mark.parametrize("moment", ["before the commit", "after the commit", "once it is open"])
def test_an_upgrade_that_is_killed_goes_on_and_loses_nothing(tmp_path: Path, moment: str) -> None:
    now, whole, cut = (tmp_path / name for name in ("now.duckdb", "whole.duckdb", "cut.duckdb"))
    batch = traffic(MONDAY_US, MONDAY_US + 62 * MINUTE_US, per_second=0.5)
    batch.records[:] = [replace(r, input_tokens=5, output_tokens=7) for r in batch.records]
    commit(now, batch, now_us=8)
    with open_writer(now) as connection:
        fold_minutes(connection, MONDAY_US + HOUR_US)
    for path in (whole, cut):
        write_version(3, path, now)
    with open_writer(whole):
        pass
    killed = subprocess.run([sys.executable, "-c", KILLED, str(cut), moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_writer(cut):
        pass
    assert facts(cut) == facts(whole)
    # Tokens of hours that were folded before there were any are counted anew from the records.
    tokens = "SELECT sum(input_tokens), sum(output_tokens), sum(requests) FROM usage_rollup"
    assert rows(whole, tokens) != rows(now, tokens)
    rebuild_rollups(whole, MONDAY_US + HOUR_US)
    requests = len(batch.records)
    assert rows(whole, tokens) == rows(now, tokens) == [(5 * requests, 7 * requests, requests)]
