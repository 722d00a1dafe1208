"""What an import says of files, maps and databases that it cannot use."""

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.integration.import_log import (
    HEADER,
    MAP,
    Import,
    command,
    log,
    query,
    tokens,
)


def test_empty_files_are_no_trouble(tmp_path: Path, bring_in: Import) -> None:
    for data in (b"", b"\xef\xbb\xbf", HEADER.encode()):
        (tmp_path / "log.csv").write_bytes(data)
        (tmp_path / "log.ndjson").write_bytes(data[:0])
        code, result = bring_in(tmp_path / "log.csv", tmp_path / "log.ndjson")
        assert (code, result["rows"], result["error"]) == (0, 0, None)


def test_a_dry_run_tells_what_would_be_done_and_makes_no_database(
    tmp_path: Path, database: Path, bring_in: Import
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + log(10) + "bad\n")
    code, result = bring_in(path, "--dry-run")
    assert (code, result["rows"], result["stored"], result["rejected"]) == (1, 11, 10, 1)
    assert not database.exists()


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
