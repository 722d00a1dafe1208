"""The collector as a process: spool to database, each line exactly once, whatever is killed."""

import fcntl
import json
import random
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest
from uuid_utils import uuid7

from collectors.tailer import Tailer
from store import (
    HOUR_US,
    Committed,
    DatabaseBusyError,
    Retention,
    Writer,
    maintain,
    open_reader,
)
from tests.fixtures_usage import BOOT_ID, MONDAY_US, NODE_ID, node_sample, usage_record
from tests.integration.collector_process import (
    WAIT_S,
    query,
    run,
    running,
    until,
    writer_command,
)
from usage import SpoolWriter, boots, encode_line


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def once(spool: Path, database: Path) -> "subprocess.CompletedProcess[str]":
    return run("once", "--spool", spool, "--database", database)


def collecting(spool: Path, database: Path) -> AbstractContextManager["subprocess.Popen[str]"]:
    return running("run", "--spool", spool, "--database", database, "--interval", "0.01")


def until_stored(condition: str, database: Path, count: int) -> None:
    """Return when so many records are stored; fail after a while, naming the `condition`."""
    expected = [(count,)]
    until(
        condition,
        lambda: (
            database.exists() and query(database, "SELECT count(*) FROM usage_record") == expected
        ),
    )


def test_lines_of_a_node_that_knows_no_routes_are_stored_as_direct_requests(
    spool: Path, database: Path
) -> None:
    line = json.loads(encode_line(usage_record()))
    del line["route"], line["parent_id"]
    writer = SpoolWriter(spool, NODE_ID, BOOT_ID)
    writer.append(json.dumps(line).encode() + b"\n")
    writer.close()
    assert once(spool, database).returncode == 0
    assert query(database, "SELECT route, parent_id FROM usage_record") == [("direct", None)]
    assert query(database, "SELECT count(*) FROM rejected_line") == [(0,)]


def test_every_line_is_stored_or_rejected_with_its_reason_and_the_spool_is_empty_after(
    spool: Path, database: Path
) -> None:
    stray = encode_line(usage_record(node_id="somebody-else"))
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    out.append(encode_line(usage_record()) + b'garbage \xff "\r\n' + encode_line(node_sample()))
    out.append(stray + b"\n" + encode_line(usage_record(seq=2)))
    out.close()
    segment = spool / NODE_ID / BOOT_ID / "00000001.ndjson"
    with segment.open("ab") as file:
        file.write(b'{"kind":"usage_rec')
    finished = once(spool, database)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert json.loads(finished.stdout) == {"records": 2, "samples": 1, "rejected": 4}
    rejected = query(database, "SELECT line, reason FROM rejected_line ORDER BY byte_offset")
    assert [line for line, _ in rejected] == [
        'garbage \\xff "\r',
        stray.decode().strip(),
        "",
        '{"kind":"usage_rec',
    ]
    assert all(reason for _, reason in rejected)
    assert boots(spool) == []


def test_once_on_nothing_makes_an_empty_database_and_says_so(spool: Path, database: Path) -> None:
    finished = once(spool, database)
    assert finished.returncode == 0
    assert json.loads(finished.stdout) == {"records": 0, "samples": 0, "rejected": 0}
    assert query(database, "SELECT count(*) FROM usage_record") == [(0,)]


def test_collecting_again_stores_nothing_twice(spool: Path, database: Path) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    for seq in range(1, 4):
        out.append(encode_line(usage_record(seq=seq)))
        for _ in range(2):
            assert once(spool, database).returncode == 0
            assert query(database, "SELECT count(*) FROM usage_record") == [(seq,)]
    out.close()


def test_a_segment_that_was_stored_but_not_deleted_is_not_stored_again(
    spool: Path, database: Path
) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    out.append(encode_line(usage_record()))
    out.close()
    segment = spool / NODE_ID / BOOT_ID / "00000001.ndjson"
    content = segment.read_bytes()
    assert once(spool, database).returncode == 0
    segment.parent.mkdir(parents=True)
    segment.write_bytes(content)  # as if the collector was killed between commit and deletion
    assert once(spool, database).returncode == 0
    assert query(database, "SELECT count(*) FROM usage_record") == [(1,)]
    assert boots(spool) == []


def test_a_stop_stores_what_is_left_and_exits_cleanly(spool: Path, database: Path) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    out.append(encode_line(usage_record()))
    with collecting(spool, database) as process:
        until_stored("one is stored", database, 1)
        out.append(encode_line(usage_record(seq=2)) * 500)
        process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, complaints
    assert json.loads(printed)["records"] == 501
    assert query(database, "SELECT count(*) FROM usage_record") == [(501,)]
    out.close()


def test_a_second_collector_says_who_holds_the_database_and_exits(
    spool: Path, database: Path
) -> None:
    with collecting(spool, database) as process:
        until_stored("the first has begun", database, 0)
        finished = once(spool, database)
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert f"another collector writes it already (process {process.pid})" in finished.stderr


@pytest.mark.parametrize(
    ("name", "content"), [("broken.duckdb", b"no database" * 999), ("folder.duckdb", None)]
)
def test_an_unusable_database_is_one_line_and_loses_nothing(
    spool: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    out.append(encode_line(usage_record()))
    out.close()
    database = tmp_path / name
    if content is None:
        database.mkdir()
    else:
        database.write_bytes(content)
    finished = once(spool, database)
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert name in finished.stderr
    assert len(boots(spool)) == 1


def test_while_a_reader_holds_the_file_records_wait_in_the_spool(
    spool: Path, database: Path
) -> None:
    assert once(spool, database).returncode == 0
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    with collecting(spool, database) as process:
        with open_reader(database):
            out.append(encode_line(usage_record()))
            time.sleep(0.3)  # longer than a round: the collector runs into the lock
            assert process.poll() is None
            [boot] = boots(spool)
            assert boot.segments() == [1]
        until_stored("it is stored", database, 1)
    out.close()


def test_writers_and_collectors_killed_at_random_leave_every_record_stored_once(
    spool: Path, database: Path
) -> None:
    rng = random.Random(5)
    told: set[str] = set()
    for _ in range(6):
        with (
            collecting(spool, database) as collector,
            subprocess.Popen(
                writer_command(spool, segment_bytes=20_000), stdout=subprocess.PIPE, text=True
            ) as writer,
        ):
            assert writer.stdout is not None
            for _ in range(rng.randint(200, 2_000)):
                told.add(writer.stdout.readline().strip())
            (collector if rng.random() < 0.5 else writer).kill()
            for _ in range(rng.randint(1, 500)):
                line = writer.stdout.readline().strip()
                if len(line) == 36:
                    told.add(line)
            writer.kill()
            told |= {line.strip() for line in writer.stdout if len(line) == 37}
    assert once(spool, database).returncode == 0
    stored = [str(row[0]) for row in query(database, "SELECT record_id FROM usage_record")]
    assert len(stored) == len(set(stored))
    # A writer may die after it appended a record and before it told so: at most one each time.
    assert told <= set(stored)
    assert len(stored) - len(told) <= 6
    assert boots(spool) == []


def test_small_chunks_and_many_boots_are_collected_round_by_round(
    spool: Path, database: Path
) -> None:
    for boot in range(3):
        boot_id = str(uuid7())
        out = SpoolWriter(spool, f"node-{boot}", boot_id, segment_bytes=2_000)
        for seq in range(1, 30):
            record = usage_record(node_id=f"node-{boot}", boot_id=boot_id, seq=seq)
            out.append(encode_line(record))
        out.close()
    tailer = Tailer(spool, database, lambda: MONDAY_US, round_bytes=1_500)
    for _ in range(2):  # one round is stored while the next one is read
        assert 0 < tailer.collect_round() < 10_000
    under_way = tailer.collected.records
    assert 0 < under_way < 87
    # Behind a backlog, too, the database is looked after.
    tailer.settle()
    assert tailer.collected.records > under_way
    stored = query(database, "SELECT count(*) FROM usage_record")
    assert stored == [(tailer.collected.records,)]
    maintain(database, Retention(hot_hours=1), now_us=MONDAY_US + 2 * HOUR_US)
    assert query(database, "SELECT count(*) FROM usage_record") == stored
    assert query(database, "SELECT count(*) FROM usage_record_hot") == [(0,)]
    tailer.collect_all()
    assert tailer.collected.records == 87
    assert boots(spool) == []


def test_a_collector_that_is_behind_another_one_reads_the_positions_again(
    spool: Path, database: Path
) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    tailers = [Tailer(spool, database, lambda: MONDAY_US) for _ in range(2)]
    for seq in range(1, 9):
        out.append(encode_line(usage_record(seq=seq, record_id=str(uuid7()))) * 3)
        # The one whose turn it is knows nothing of what the other one stored since.
        tailers[seq % 2].collect_all()
        assert query(database, "SELECT count(*) FROM usage_record") == [(3 * seq,)]
    assert sum(tailer.collected.records for tailer in tailers) == 24
    out.close()


def test_a_round_that_fails_is_read_again_and_nothing_of_it_is_kept(
    spool: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID)
    tailer = Tailer(spool, database, lambda: MONDAY_US, round_bytes=3_000)
    for seq in range(1, 41):
        out.append(encode_line(usage_record(seq=seq, record_id=str(uuid7()))))
    failures = iter([False, True, False, True, True, False, False])
    commit = Writer.commit

    def failing(writer: Writer, *, now_us: int) -> Committed:
        if next(failures, False):
            writer.forget()
            raise DatabaseBusyError("still locked by another process")
        return commit(writer, now_us=now_us)

    monkeypatch.setattr(Writer, "commit", failing)
    failed = 0
    while query(database, "SELECT count(*) FROM usage_record") != [(40,)]:
        try:
            tailer.collect_all()
        except DatabaseBusyError:
            failed += 1
    assert failed == 3
    assert tailer.collected.records == 40
    [(ids,)] = query(database, "SELECT count(DISTINCT record_id) FROM usage_record")
    assert ids == 40
    out.close()
    tailer.close()


def test_many_small_segments_of_a_boot_are_stored_in_one_round(spool: Path, database: Path) -> None:
    out = SpoolWriter(spool, NODE_ID, BOOT_ID, segment_bytes=1)
    for seq in range(1, 31):
        out.append(encode_line(usage_record(seq=seq)))
    out.close()
    tailer = Tailer(spool, database, lambda: MONDAY_US)
    tailer.collect_round()
    assert tailer.collected.records == 30
    assert query(database, "SELECT commits FROM store_state") == [(1,)]
    assert boots(spool) == []


def test_the_lock_file_is_not_left_locked_by_a_killed_collector(
    spool: Path, database: Path
) -> None:
    with collecting(spool, database):
        until_stored("it has begun", database, 0)
    with database.with_name(database.name + ".collector.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert msgspec.json.decode(once(spool, database).stdout)["records"] == 0
