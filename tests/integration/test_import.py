"""The import of logs: each row in the database exactly once, whatever the file."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.import_log import (
    HEADER,
    START_MS,
    Import,
    command,
    log,
    query,
    tokens,
)


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
