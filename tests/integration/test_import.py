"""The import of logs: each row in the database exactly once, whatever happens meanwhile."""

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.importing.block import Reached
from collectors.importing.claim import Claim, claim
from collectors.importing.command import add_arguments, run
from collectors.importing.import_store import ImportStore
from collectors.importing.source import BEGINNING, Position, Source
from store import (
    Batch,
    Checkpoint,
    DatabaseBusyError,
    DatabaseMissingError,
    Writer,
    commit,
    open_reader,
)
from tests.fixtures_usage import BOOT_ID, NODE_ID, usage_record
from usage import SpoolWriter, encode_line

WAIT_S = 40.0
START_MS = 1_700_000_000_000
HEADER = "when,who,took,tokens\n"
MAP = """
[time]
column = "when"
format = "unix_ms"
[columns]
tenant = "who"
total_us = "took"
output_tokens = "tokens"
[units]
total_us = "s"
"""

Import = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    path = tmp_path / "map.toml"
    path.write_text(MAP)
    return path


@pytest.fixture
def bring_in(database: Path, map_file: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Run the command in this process; return its exit code and what it printed."""

    def bring_in(*arguments: object) -> tuple[int, dict[str, Any]]:
        given = [str(argument) for argument in arguments]
        if "--preset" not in given:
            given += ["--map", str(map_file)]
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run(parser.parse_args([*given, "--database", str(database), "--json"]))
        return code, json.loads(capsys.readouterr().out)

    return bring_in


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def command(database: Path, *arguments: object) -> list[str]:
    given = [str(argument) for argument in arguments]
    return [sys.executable, "-m", "collectors", "import", *given, "--database", str(database)]


def log(rows: int, first: int = 0) -> str:
    """Rows of MAP that are told apart by their tokens."""
    return "".join(
        f"{START_MS + n},team-{n % 7},0.{n % 1_000:03},{n}\n" for n in range(first, first + rows)
    )


def tokens(database: Path) -> list[int]:
    sql = "SELECT output_tokens FROM usage_record ORDER BY output_tokens"
    return [row[0] for row in query(database, sql)]


def wide(rows: int) -> str:
    """A log of so many rows, and of some commits: each row is long."""
    pad = "x" * 200
    lines = "".join(line + f",{pad}\n" for line in log(rows).splitlines())
    return HEADER.strip() + ",pad\n" + lines


def until_reached(database: Path, rows: int, process: "subprocess.Popen[Any]") -> int:
    """Return how many rows are read as soon as they are more than `rows`, or all that will be."""
    give_up_at = time.monotonic() + WAIT_S
    sql = "SELECT max(position) FROM source_position WHERE source NOT LIKE '%#%'"
    while True:
        reached = 0
        with suppress(DatabaseMissingError):
            reached = query(database, sql)[0][0] or 0
        if reached > rows or process.poll() is not None:
            return reached
        assert time.monotonic() < give_up_at, "waited in vain for rows"
        time.sleep(0.05)


def until_written(database: Path, times: int, process: "subprocess.Popen[Any]") -> None:
    """Return when the file was seen to change so many times, or the process has ended."""
    give_up_at = time.monotonic() + WAIT_S
    seen: set[int] = set()
    while len(seen) <= times and process.poll() is None:
        with suppress(FileNotFoundError):
            seen.add(database.stat().st_mtime_ns)
        assert time.monotonic() < give_up_at, "waited in vain for a change"
        time.sleep(0.002)


def test_a_trace_of_azures_shape_is_stored_with_its_tokens(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "Trace code.csv"
    rows = [("2024-02-29 23:59:59.9999999", 12, 3), ("2024-03-01 00:00:00.0000010", 7, 0)]
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens", *(f"{t},{i},{o}" for t, i, o in rows)]
    path.write_bytes("\r\n".join([*lines, ""]).encode())
    code, result = bring_in(path, "--preset", "azure_llm")
    assert (code, result["stored"], result["rejected"]) == (0, 2, 0)
    sql = (
        "SELECT node_id, arrived_at_us, input_tokens, output_tokens, seq, status, cache, batch_size"
        " FROM usage_record ORDER BY seq"
    )
    assert query(database, sql) == [
        ("import-Trace-code", 1_709_251_199_999_999, 12, 3, 1, 200, "bypass", 0),
        ("import-Trace-code", 1_709_251_200_000_001, 7, 0, 2, 200, "bypass", 0),
    ]
    assert query(database, "SELECT sum(requests) FROM usage_minute") == [(2,)]


def test_a_second_run_stores_nothing_and_says_so(
    tmp_path: Path, database: Path, bring_in: Import, map_file: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(10))
    assert bring_in(path)[1]["stored"] == 10
    assert bring_in(path) == (
        0,
        {
            "rows": 0,
            "stored": 0,
            "rejected": 0,
            "files": [
                {
                    "file": str(path),
                    "from_row": 10,
                    "rows": 0,
                    "stored": 0,
                    "rejected": 0,
                    "first_rejects": [],
                }
            ],
            "error": None,
        },
    )
    again = subprocess.run(
        command(database, path, "--map", map_file), capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"{path}: all of its 10 rows were imported before\n"
    assert tokens(database) == list(range(10))


def test_the_same_content_is_known_under_another_name_and_packed(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path, other, packed = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv.gz"))
    path.write_text(HEADER + log(10))
    shutil.copy(path, other)
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [bring_in(one)[1]["stored"] for one in (path, other, packed)] == [10, 0, 0]


def test_another_file_of_the_same_name_is_another_file(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(10))
    assert bring_in(path)[1]["stored"] == 10
    # As long, with the same header, and the same beginning and end.
    path.write_text(HEADER + log(4) + log(1, 99)[:-3] + "4\n" + log(5, 5))
    assert bring_in(path)[1]["stored"] == 10
    ids = "SELECT count(DISTINCT record_id), count(DISTINCT boot_id) FROM usage_record"
    assert query(database, ids) == [(20, 2)]


@pytest.mark.parametrize("rows", [3, 5_000])
def test_what_is_appended_is_stored_and_nothing_twice(
    tmp_path: Path, database: Path, bring_in: Import, rows: int
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(rows))
    assert bring_in(path)[1]["stored"] == rows
    with path.open("a") as file:
        file.write(log(rows, rows) + "bad\n")
    renamed = path.rename(tmp_path / "log.1.csv")
    code, result = bring_in(renamed)
    assert code == 1
    assert result["files"][0] | {"file": ""} == {
        "file": "",
        "from_row": rows,
        "rows": rows + 1,
        "stored": rows,
        "rejected": 1,
        "first_rejects": [f"line {2 * rows + 2}: 1 cells; accepted: 4, as the header has"],
    }
    assert bring_in(renamed)[1]["rows"] == 0
    assert tokens(database) == list(range(2 * rows))
    # One boot of one node, numbered through.
    sql = "SELECT node_id, records, seq_min, seq_max FROM boot"
    assert query(database, sql) == [("import-log", 2 * rows, 1, 2 * rows)]


def test_two_files_that_begin_alike_are_told_apart(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    first, one, other = (tmp_path / name for name in ("first.csv", "one.csv", "other.csv"))
    first.write_text(HEADER + log(10))
    one.write_text(HEADER + log(20))
    other.write_text(HEADER + log(10) + log(10, 100))
    assert [bring_in(path)[1]["stored"] for path in (first, one, other)] == [10, 10, 10]
    assert [bring_in(path)[1]["stored"] for path in (first, one, other)] == [0, 0, 0]
    assert tokens(database) == [*range(20), *range(100, 110)]


@pytest.mark.parametrize("begun", ["", HEADER])
def test_files_that_share_no_row_have_nothing_to_do_with_each_other(
    tmp_path: Path, database: Path, bring_in: Import, begun: str
) -> None:
    empty, one, other = (tmp_path / name for name in ("empty.csv", "one.csv", "other.csv"))
    empty.write_text(begun)
    one.write_text(HEADER + log(10))
    other.write_text(HEADER + log(10, 10))
    assert [bring_in(path)[1]["stored"] for path in (empty, one, other)] == [0, 10, 10]
    sql = "SELECT node_id, records, seq_min FROM boot ORDER BY node_id"
    assert query(database, sql) == [("import-one", 10, 1), ("import-other", 10, 1)]


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


def test_of_a_growing_file_a_row_is_stored_when_it_is_complete(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    written = HEADER + log(9)
    for end in (len(written) - 3, len(written) - 1, len(written)):
        path.write_text(written[:end])
        code, _ = bring_in(path, "--growing")
        assert code == 0
    assert tokens(database) == list(range(9))
    assert query(database, "SELECT count(*) FROM rejected_line") == [(0,)]


def test_a_row_that_was_imported_before_it_was_complete_spoils_no_other(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    written = HEADER + log(9)
    path.write_text(written[:-1])
    assert bring_in(path)[0] == 0
    path.write_text(written[:-1] + "55\n" + log(1, 9))
    code, result = bring_in(path)
    assert (code, result["stored"]) == (1, 1)
    assert result["files"][0]["first_rejects"] == [
        "line 10: the rest of a line that was imported before it was complete"
    ]


def test_rejected_rows_are_kept_in_the_commit_of_their_neighbours(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    bad = ["x,team,0.1,1", f"{START_MS},team,0.1", f'{START_MS},"te"am,0.1,1', f"{START_MS},,0,1"]
    path.write_text(HEADER + log(5) + "\n".join(bad) + "\n" + log(5, 5), encoding="utf-8")
    with path.open("ab") as file:
        file.write(f"{START_MS},".encode() + b"\xff\0,0.1,1\n")
    code, result = bring_in(path)
    assert (code, result["rows"], result["stored"], result["rejected"]) == (1, 15, 10, 5)
    rejected = query(
        database,
        "SELECT reason, line, byte_offset, segment FROM rejected_line ORDER BY byte_offset",
    )
    assert [reason.split(":")[0] for reason, *_ in rejected] == [
        f"line {number}" for number in (7, 8, 9, 10, 16)
    ]
    whole = path.read_bytes()
    for _, line, offset, segment in rejected[:-1]:
        assert whole[offset:].startswith(line.encode())
        assert (line.count("\n"), segment) == (1, 0)
    assert rejected[-1][1] == f"{START_MS},\\xff\\x00,0.1,1\n"
    # The instants alone tell that a commit came: with the rows, and the position with both.
    assert query(database, "SELECT commits FROM store_state") == [(2,)]


def test_ndjson_and_parquet_give_the_same_records_as_csv(
    tmp_path: Path, bring_in: Import, database: Path
) -> None:
    rows = [line.split(",") for line in log(3_000).splitlines()]
    columns = dict(zip(("when", "who", "took", "tokens"), zip(*rows, strict=True), strict=True))
    csv, ndjson, parquet = (tmp_path / f"log.{end}" for end in ("csv", "jsonl", "parquet"))
    csv.write_text(HEADER + log(3_000))
    ndjson.write_text(
        "".join(
            f'{{"when":{w},"who":"{who}","took":{took},"tokens":{n}}}\n' for w, who, took, n in rows
        )
    )
    table = {name: list(map(int, columns[name])) for name in ("when", "tokens")}
    took = pa.array(map(float, columns["took"]))
    pq.write_table(pa.table({**table, "who": columns["who"], "took": took}), parquet)
    for path in (csv, ndjson, parquet):
        code, result = bring_in(path)
        assert (code, result["stored"]) == (0, 3_000), result
    sums = "SELECT boot_id, count(*), sum(total_us), sum(output_tokens), count(DISTINCT tenant)"
    found = query(database, f"{sums} FROM usage_record GROUP BY boot_id")
    assert len({row[1:] for row in found}) == 1 < len(found) == 3


def test_a_dry_run_tells_what_would_be_done_and_makes_no_database(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(10) + "bad\n")
    code, result = bring_in(path, "--dry-run")
    assert (code, result["rows"], result["stored"], result["rejected"]) == (1, 11, 10, 1)
    assert not database.exists()


def test_empty_files_are_no_trouble(tmp_path: Path, bring_in: Import) -> None:
    for data in (b"", b"\xef\xbb\xbf", HEADER.encode()):
        (tmp_path / "log.csv").write_bytes(data)
        (tmp_path / "log.ndjson").write_bytes(data[:0])
        code, result = bring_in(tmp_path / "log.csv", tmp_path / "log.ndjson")
        assert (code, result["rows"], result["error"]) == (0, 0, None)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("none.csv", None, "No such file or directory"),
        ("log.txt", b"", "--format is missing, and the name tells none; accepted: csv, ndjson"),
        ("log.csv", b"a,b\n1,2\n", "line 1: the header has no 'when'"),
        ("log.csv", b"PAR1", "is Parquet; accepted: --format parquet"),
        ("log.csv.gz", b"when,who,took,tokens\n", "cannot be unpacked"),
        ("log.csv.gz", gzip.compress(HEADER.encode(), mtime=0)[:-4], "cannot be unpacked"),
        ("log.parquet", b"PAR1PAR1PAR1", "cannot be read as Parquet"),
        ("log.csv", (HEADER + "x,,,\n" * 200).encode(), "none of the first 200 rows is a request"),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_in_one_line(
    tmp_path: Path,
    bring_in: Import,
    database: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    data: bytes | None,
    words: str,
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    code, result = bring_in(tmp_path / name)
    assert (code, result["stored"]) == (2, 0)
    assert words in result["error"]
    assert "\n" not in result["error"]
    assert not database.exists() or query(database, "SELECT count(*) FROM rejected_line") == [(0,)]


def test_after_a_map_that_did_not_fit_nothing_is_stored_and_a_mended_one_stores_all(
    tmp_path: Path, database: Path, bring_in: Import, map_file: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(200))
    map_file.write_text(MAP.replace("unix_ms", "rfc3339"))
    code, result = bring_in(path)
    assert (code, result["rows"]) == (2, 0)
    assert "none of the first 200 rows is a request by this map" in result["error"]
    assert "line 2: arrived_at_us is '1700000000000'; accepted: rfc3339" in result["error"]
    map_file.write_text(MAP)
    assert bring_in(path)[1]["stored"] == 200
    assert tokens(database) == list(range(200))


def test_wrong_arguments_and_databases_are_one_line_and_an_exit_code(
    tmp_path: Path, map_file: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(1))
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database" * 999)
    for arguments, expected, words in (
        (command(tmp_path / "d", path), 2, "--map is missing, and --preset"),
        (command(tmp_path / "d", path, "--map", tmp_path / "no.toml"), 2, "No such file"),
        (command(broken, path, "--map", map_file), 3, "broken.duckdb"),
        (command(path / "d", path, "--map", map_file), 3, "log.csv"),
    ):
        finished = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert (finished.returncode, finished.stdout) == (expected, ""), finished.stderr
        assert words in finished.stderr
        assert finished.stderr.count("\n") == 1


def test_killed_or_stopped_at_any_moment_and_run_again_every_row_is_stored_once(
    tmp_path: Path, database: Path, map_file: Path
) -> None:
    rng = random.Random(3)
    rows, bad = 8_000, 40
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


def stop_between_commits(database: Path, process: "subprocess.Popen[Any]") -> None:
    while True:
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with suppress(DatabaseBusyError), open_reader(database, wait_s=0):
            return
        process.send_signal(signal.SIGCONT)


def test_a_second_import_of_the_same_content_is_refused_while_the_first_is_at_it(
    tmp_path: Path, database: Path, map_file: Path
) -> None:
    path, copy, longer = (tmp_path / name for name in ("log.csv", "copy.csv", "longer.csv"))
    path.write_text(wide(6_500))
    shutil.copy(path, copy)
    longer.write_text(wide(6_501))
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
    assert json.loads(printed)["stored"] == 6_500
    third = subprocess.run(command(database, longer, *arguments), capture_output=True, check=False)
    assert json.loads(third.stdout)["stored"] == 1
    assert tokens(database) == list(range(6_501))


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
