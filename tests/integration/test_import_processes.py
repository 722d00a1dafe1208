"""An import beside other processes, killed and run again: each row exactly once, in flat memory."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collectors.importing.block import Reached
from collectors.importing.claim import Claim, claim
from collectors.importing.import_store import ImportStore
from collectors.importing.source import BEGINNING, Position, Source
from store import (
    Batch,
    Checkpoint,
    Writer,
    commit,
)
from tests.fixtures_usage import BOOT_ID, NODE_ID, usage_record
from tests.integration.import_log import (
    HEADER,
    WAIT_S,
    Import,
    command,
    log,
    query,
    stop_between_commits,
    tokens,
    until_reached,
    until_written,
    wide,
)
from usage import SpoolWriter, encode_line


def test_what_is_appended_to_a_file_whose_import_was_interrupted_is_stored_with_the_rest(
    tmp_path: Path, database: Path, bring_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, short = tmp_path / "log.csv", tmp_path / "short.csv"
    path.write_text(wide(4_000))
    shutil.copy(path, short)
    true_store = ImportStore.store

    def interrupted(
        store: ImportStore, source: Source, batch: Batch, *between: Position, drop_known: bool
    ) -> None:
        true_store(store, source, batch, *between, drop_known=drop_known)
        if between[0].reached.rows > 1_000:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(ImportStore, "store", interrupted)
        code, result = bring_in(path, "--batch-rows", 1)
    assert (code, result["error"]) == (130, "stopped; run this again to go on")
    assert 0 < result["stored"] < 4_000
    path.write_text(wide(5_000))
    again = bring_in(path)[1]
    assert again["files"][0]["from_row"] == result["stored"]
    assert again["stored"] == 5_000 - result["stored"]
    assert [bring_in(one)[1]["rows"] for one in (short, path)] == [0, 0]
    assert tokens(database) == list(range(5_000))


def test_killed_or_stopped_at_any_moment_and_run_again_every_row_is_stored_once(
    tmp_path: Path, database: Path, map_file: Path
) -> None:
    rng = random.Random(3)
    rows, bad = 5_000, 40
    header, *lines = wide(rows).splitlines(keepends=True)
    for place in rng.sample(range(rows), bad):
        lines[place] = "bad" + lines[place]
    path = tmp_path / "log.csv"
    path.write_text(header + "".join(lines))
    arguments = command(database, path, "--map", map_file, "--batch-rows", 1, "--json")
    kills = 0
    while True:
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until_written(database, rng.randint(1, 20) if kills < 4 else 10_000, process)
            with_a_word = rng.random() < 0.4
            process.send_signal(signal.SIGINT if with_a_word else signal.SIGKILL)
            _, said = process.communicate(timeout=WAIT_S)
        if process.returncode in (0, 1):
            break
        assert process.returncode == (130 if with_a_word else -signal.SIGKILL), said
        assert not with_a_word or said.endswith(b"stopped; run this again to go on\n")
        kills += 1
    assert kills >= 2
    [(stored, ids, total)] = query(
        database, "SELECT count(*), count(DISTINCT record_id), sum(output_tokens) FROM usage_record"
    )
    good = [int(line.split(",")[3]) for line in lines if not line.startswith("bad")]
    assert (stored, ids, total) == (rows - bad, rows - bad, sum(good))
    assert tokens(database) == good
    [(rejected, offsets)] = query(
        database, "SELECT count(*), count(DISTINCT byte_offset) FROM rejected_line"
    )
    assert (rejected, offsets) == (bad, bad)
    assert query(database, "SELECT sum(requests) FROM usage_minute") == [(rows - bad,)]


def test_a_second_import_of_the_same_content_is_refused_while_the_first_is_at_it(
    tmp_path: Path, database: Path, map_file: Path
) -> None:
    path, copy, longer = (tmp_path / name for name in ("log.csv", "copy.csv", "longer.csv"))
    path.write_text(wide(3_500))
    shutil.copy(path, copy)
    longer.write_text(wide(3_501))
    arguments = ("--map", map_file, "--batch-rows", 1, "--json")
    first = command(database, path, *arguments)
    with subprocess.Popen(first, stdout=subprocess.PIPE, text=True) as process:
        until_reached(database, 0, process)
        stop_between_commits(database, process)
        for other in (copy, longer):
            second = subprocess.run(
                command(database, other, *arguments), capture_output=True, text=True, check=False
            )
            error = f"{other}: another process is importing the same content; nothing is done here"
            assert (second.returncode, second.stderr) == (3, error + "\n")
        process.send_signal(signal.SIGCONT)
        printed, _ = process.communicate(timeout=WAIT_S)
    assert json.loads(printed)["stored"] == 3_500
    third = subprocess.run(command(database, longer, *arguments), capture_output=True, check=False)
    assert json.loads(third.stdout)["stored"] == 1
    assert tokens(database) == list(range(3_501))


def test_it_works_beside_a_collector_on_the_same_database(
    tmp_path: Path, database: Path, map_file: Path
) -> None:
    spool, path = tmp_path / "spool", tmp_path / "log.csv"
    path.write_text(wide(3_000))
    writer = SpoolWriter(spool, NODE_ID, BOOT_ID)
    collect = [sys.executable, "-m", "collectors", "run", "--spool", str(spool)]
    collect += ["--database", str(database), "--interval", "0.01"]
    with subprocess.Popen(collect, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as collector:
        importing = command(database, path, "--map", map_file, "--batch-rows", 1)
        with subprocess.Popen(importing, stdout=subprocess.PIPE) as process:
            seq = 0
            while process.poll() is None:
                seq += 1
                writer.append(encode_line(usage_record(seq=seq)))
                time.sleep(0.002)
        writer.close()
        collector.terminate()
        _, complaints = collector.communicate(timeout=WAIT_S)
    assert (process.returncode, collector.returncode) == (0, 0), complaints
    by_node = "SELECT node_id, count(*) FROM usage_record GROUP BY node_id ORDER BY node_id"
    assert query(database, by_node) == [("import-log", 3_000), (NODE_ID, seq)]


READER = """
import sys
from pathlib import Path
from store import open_reader
with open_reader(Path(sys.argv[1])):
    print("reading", flush=True)
    sys.stdin.readline()
"""


def test_a_reader_that_stays_long_is_waited_for(tmp_path: Path, database: Path) -> None:
    commit(database, Batch(), now_us=1)
    notes: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as reader:  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "reading\n"

        def busy(words: str) -> None:
            notes.append(words)
            if len(notes) == 3:
                reader.communicate("\n")

        source = Source("log", "0" * 32, 9, "0" * 32)
        with closing(ImportStore(database, lambda: 1, busy, wait_s=0.05)) as store:
            batch = Batch(records=[usage_record()])
            store.store(source, batch, BEGINNING, Position(Reached(1, 9, 1), 1))
    assert len(notes) >= 3
    assert "still locked by another process" in notes[0]
    assert query(database, "SELECT count(*) FROM usage_record") == [(1,)]


def test_rows_that_another_process_stored_meanwhile_are_not_stored_again(
    tmp_path: Path, database: Path, bring_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(10))

    def overtaken(*arguments: Any) -> Claim:
        claimed = claim(*arguments)
        other = Checkpoint(claimed.source.key, 0, 3)
        commit(database, Batch(checkpoints=[other]), now_us=1)
        return claimed

    monkeypatch.setattr("collectors.importing.import_run.claim", overtaken)
    code, result = bring_in(path)
    assert (code, result["stored"]) == (3, 0)
    assert result["error"].endswith(
        "another process stored rows of the same file; run this again to go on"
    )
    assert tokens(database) == []


def test_many_combinations_of_dimensions_are_not_all_kept_in_memory(
    tmp_path: Path, database: Path, bring_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.importing.import_store.MOST_COMBINATIONS", 10)
    writers: list[Path] = []

    def counted(path: Path) -> Writer:
        writers.append(path)
        return Writer(path)

    monkeypatch.setattr("collectors.importing.import_store.Writer", counted)
    path = tmp_path / "log.csv"
    path.write_text(wide(1_000))
    assert bring_in(path, "--batch-rows", 1)[1]["stored"] == 1_000
    assert len(writers) > 2


# ru_maxrss of a child begins with what its parent has.
MEASURED = """
import sys
from collectors.__main__ import main
assert main() == 0
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(peak)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path, database: Path, map_file: Path) -> None:
    peaks = []
    for rows in (12_000, 120_000):
        path = tmp_path / f"{rows}.csv"
        path.write_text(HEADER + log(rows))
        arguments = command(database, path, "--map", map_file, "--batch-rows", 5_000)[3:]
        finished = subprocess.run(
            [sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, check=True
        )
        peaks.append(int(finished.stdout.split()[-1]) / 1024)
    small_mb, large_mb = peaks
    # All rows in one commit take 110 MB more.
    assert large_mb < small_mb + 60, peaks
