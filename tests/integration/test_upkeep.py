"""Looking after a database from the command line: check, rebuild, backup, restore, maintain."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from uuid_utils import uuid7

from store import Retention, commit, maintain, open_reader, open_writer
from store.archive_views import archive_folder
from tests.fixtures_usage import MINUTE_US, NODE_ID, SECOND_US, traffic
from usage import SpoolWriter, UsageRecord, encode_lines

HOUR_US = 60 * MINUTE_US
WAIT_S = 60.0
NOW_US = time.time_ns() // 1000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def collectors(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "collectors", *map(str, arguments)],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip


def some_traffic(hours_ago: int, first_seq: int, boot_id: str) -> list[UsageRecord]:
    start_us = (NOW_US - hours_ago * HOUR_US) // SECOND_US * SECOND_US
    records = traffic(start_us, start_us + 30 * SECOND_US, first_seq=first_seq).records
    return [
        UsageRecord(
            **{
                **{name: getattr(record, name) for name in record.__struct_fields__},
                "boot_id": boot_id,
                "record_id": str(uuid7()),
            }
        )
        for record in records
    ]


def record_ids(database: Path) -> list[str]:
    with open_reader(database) as connection:
        rows = connection.execute("SELECT record_id::VARCHAR FROM usage_record").fetchall()
    return sorted(record_id for (record_id,) in rows)


def collected(spool: Path, database: Path, records: list[UsageRecord], out: SpoolWriter) -> None:
    out.append(encode_lines(records))
    assert collectors("once", "--spool", spool, "--database", database).returncode == 0


def test_check_tells_what_holds_and_its_exit_code_is_fit_for_ci(
    tmp_path: Path, database: Path
) -> None:
    boot_id = str(uuid7())
    out = SpoolWriter(tmp_path / "spool", NODE_ID, boot_id)
    collected(tmp_path / "spool", database, some_traffic(1, 1, boot_id), out)
    out.close()
    good = collectors("check", "--database", database)
    assert (good.returncode, good.stderr) == (0, "")
    assert all(line.startswith("ok ") for line in good.stdout.splitlines())
    with open_writer(database) as connection:
        connection.execute("UPDATE usage_minute SET requests = requests + 1")
        connection.execute("DELETE FROM usage_record_hot WHERE seq = 7")
        connection.execute("INSERT INTO usage_record_hot FROM usage_record_hot LIMIT 1")
        connection.execute("UPDATE boot SET records = records - 1")
    bad = collectors("check", "--database", database)
    assert bad.returncode == 1
    failed = [line for line in bad.stdout.splitlines() if line.startswith("FAIL")]
    assert [line.split()[1].rstrip(":") for line in failed] == ["rollups", "each", "sequence"]
    assert "1 records are missing by their sequence" in failed[-1]


@pytest.mark.parametrize("ruin", ["header", "middle", "gone"])
def test_a_ruined_database_is_refused_with_the_way_back_and_made_anew_from_archive_and_spool(
    tmp_path: Path, database: Path, ruin: str
) -> None:
    spool, boot_id = tmp_path / "spool", str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    old = some_traffic(5, 1, boot_id)
    collected(spool, database, old, out)
    maintain(database, Retention(hot_hours=1), now_us=NOW_US)
    fresh = some_traffic(0, len(old) + 1, boot_id)
    collected(spool, database, fresh, out)
    with open_reader(database) as connection:
        sums = connection.execute("SELECT sum(requests), sum(item_us) FROM usage_rollup").fetchall()
    # The segment is open and consumed, old lines and new; then some that nobody has read yet.
    last = some_traffic(0, len(old) + len(fresh) + 1, boot_id)
    out.append(encode_lines(last))
    if ruin == "gone":
        database.unlink()
    else:
        content = bytearray(database.read_bytes())
        start = 0 if ruin == "header" else len(content) // 3
        content[start : start + len(content) // 2] = b"\x55" * (len(content) // 2)
        database.write_bytes(content)
        refused = collectors("once", "--spool", spool, "--database", database)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1, refused.stderr
        assert "python -m collectors rebuild --from-archive" in refused.stderr
    rebuilt = collectors("rebuild", "--from-archive", "--database", database, "--spool", spool)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert record_ids(database) == sorted(r.record_id for r in (*old, *fresh, *last))
    assert collectors("check", "--database", database).returncode == 0
    with open_reader(database) as connection:
        after = connection.execute(
            "SELECT sum(requests), sum(item_us) FROM usage_rollup"
        ).fetchall()
    assert after[0][0] == sums[0][0] + len(last)
    aside = list(tmp_path.glob("usage.duckdb.set-aside-*"))
    assert len(aside) == (0 if ruin == "gone" else 1), "nothing is deleted"
    # The positions are known again: the collector goes on, and nothing is stored twice.
    more = some_traffic(0, len(old) + len(fresh) + len(last) + 1, boot_id)
    collected(spool, database, more, out)
    out.close()
    assert (
        len(record_ids(database))
        == len({*record_ids(database)})
        == sum(map(len, (old, fresh, last, more)))
    )


def test_a_rebuild_without_any_archive_changes_nothing(tmp_path: Path, database: Path) -> None:
    database.write_bytes(b"ruined")
    refused = collectors("rebuild", "--from-archive", "--database", database)
    assert refused.returncode == 1
    assert "no file of an archive there" in refused.stderr
    assert database.read_bytes() == b"ruined"


def test_rollups_that_are_wrong_are_made_anew(tmp_path: Path, database: Path) -> None:
    spool, boot_id = tmp_path / "spool", str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    collected(spool, database, some_traffic(1, 1, boot_id), out)
    out.close()
    with open_writer(database) as connection:
        connection.execute("DELETE FROM usage_minute")
    assert collectors("check", "--database", database).returncode == 1
    rebuilt = collectors("rebuild", "--database", database)
    assert "rollups made anew from" in rebuilt.stdout
    assert collectors("check", "--database", database).returncode == 0


def test_a_backup_is_put_back_whole_with_its_archive(tmp_path: Path, database: Path) -> None:
    spool, boot_id = tmp_path / "spool", str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    old = some_traffic(5, 1, boot_id)
    collected(spool, database, old, out)
    maintain(database, Retention(hot_hours=1), now_us=NOW_US)
    fresh = some_traffic(0, len(old) + 1, boot_id)
    collected(spool, database, fresh, out)
    out.close()
    ids = record_ids(database)
    made = collectors("backup", "--database", database, "--out", tmp_path / "backups")
    assert made.returncode == 0, made.stderr
    [backup] = (tmp_path / "backups").iterdir()
    assert Path(made.stdout.strip()) == backup
    there = collectors("restore", "--database", database, backup)
    assert there.returncode == 1
    assert "exists; move it away first" in there.stderr
    elsewhere = tmp_path / "elsewhere" / "usage.duckdb"
    log = elsewhere.with_name("usage.duckdb.wal")
    elsewhere.parent.mkdir()
    log.write_bytes(b"changes of a database that is gone")
    refused = collectors("restore", "--database", elsewhere, backup)
    assert refused.returncode == 1
    assert f"{log}: is the log of another database; move it away first" in refused.stderr
    log.unlink()
    back = collectors("restore", "--database", elsewhere, backup)
    assert back.returncode == 0, back.stderr
    assert record_ids(elsewhere) == ids
    assert collectors("check", "--database", elsewhere).returncode == 0
    # Its own archive, not that of the original.
    for path in archive_folder(database).rglob("*.parquet"):
        path.unlink()
    assert record_ids(elsewhere) == ids


def test_a_backup_that_was_tampered_with_is_not_put_back(tmp_path: Path, database: Path) -> None:
    commit(database, traffic(NOW_US // SECOND_US * SECOND_US, NOW_US // SECOND_US * SECOND_US
                             + SECOND_US), now_us=NOW_US)  # fmt: skip
    collectors("backup", "--database", database, "--out", tmp_path)
    [backup] = tmp_path.glob("usage-*")
    content = bytearray((backup / "usage.duckdb").read_bytes())
    content[-1] ^= 1
    (backup / "usage.duckdb").write_bytes(content)
    elsewhere = tmp_path / "elsewhere.duckdb"
    refused = collectors("restore", "--database", elsewhere, backup)
    assert refused.returncode == 1
    assert "is not what was backed up" in refused.stderr
    assert not elsewhere.exists()
    (backup / "manifest.json").write_text("{}")
    assert "a folder of a backup is needed" in (
        collectors("restore", "--database", elsewhere, backup).stderr
    )


def test_maintain_works_by_the_retention_file_and_names_what_is_wrong_in_it(
    tmp_path: Path, database: Path
) -> None:
    spool, boot_id = tmp_path / "spool", str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    records = some_traffic(5, 1, boot_id)
    collected(spool, database, records, out)
    out.close()
    retention = tmp_path / "retention.toml"
    retention.write_text("hot_hours = 2\n")
    done = collectors("maintain", "--database", database, "--retention", retention)
    assert json.loads(done.stdout) == {"archived": len(records), "merged": 0, "dropped": 0}
    for text, complaint in (
        ("hot_hours = 0", "hot_hours"),
        ("hot_days = 2", "hot_days"),
        ("hot_hours =", "retention.toml"),
    ):
        retention.write_text(text)
        wrong = collectors("maintain", "--database", database, "--retention", retention)
        assert wrong.returncode == 1
        assert complaint in wrong.stderr
        assert wrong.stderr.count("\n") == 1
    missing = collectors("run", "--database", database, "--retention", tmp_path / "no.toml")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)


def test_commands_without_a_database_say_so_in_a_line(tmp_path: Path) -> None:
    for command in ("check", "backup"):
        finished = collectors(command, "--database", tmp_path / "none.duckdb")
        assert finished.returncode == 1
        assert finished.stderr.count("\n") == 1, finished.stderr
        assert "none.duckdb: no database" in finished.stderr
