"""The benchmarks run, print a table and write JSON; what they need and lack, they name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def benchmark(
    results: Path, name: str, *arguments: str, path: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Run without mosec, with tiny settings; return what was printed and what was written."""
    finished = subprocess.run(
        [
            sys.executable, "-m", "benchmarks", name, "--seconds", "0.2", "--rounds", "1",
            "--results", str(results), "--peers-python", str(results / "nowhere"), *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=os.environ | ({} if path is None else {"PATH": path}),
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return finished.stdout, json.loads((results / f"{name}.json").read_text())


def tables(printed: str) -> list[list[list[str]]]:
    """Return every Markdown table as rows of cells, the rule left out; all rows are as long."""
    found = []
    for part in printed.split("\n\n"):
        if part.startswith("|"):
            rows = [line.strip("|").split("|") for line in part.strip().splitlines()]
            cells = [[cell.strip() for cell in row] for row in rows]
            assert len({len(row) for row in cells}) == 1
            found.append([cells[0], *cells[2:]])
    return found


def test_latency_is_printed_and_written_without_mosec(tmp_path: Path) -> None:
    printed, written = benchmark(tmp_path, "latency")
    table, goals = tables(printed)
    assert table[0][:3] == ["model", "server", "requests/s"]
    assert [row[:2] for row in table[1:]] == [
        ["cnn", "node"], ["cnn", "mosec"], ["mlp", "node"], ["mlp", "mosec"],
    ]  # fmt: skip
    assert all("mosec is not installed" in row[3] for row in table[2::2])
    assert len(goals) - 1 == len(written["goals"]) == 4
    assert all(goal["value"] > 0 and goal["met"] is not None for goal in written["goals"])
    for line in written["results"]:
        assert len(line["runs"]) == (1 if line["server"] == "node" else 0)
        assert all(run["failed"] == 0 for run in line["runs"])
    assert written["machine"]["cores"] >= 1
    assert written["machine"]["versions"]["onnxruntime"][0].isdigit()
    assert written["settings"] == {"seconds": 0.2, "rounds": 1, "load": 0.5}


def test_serving_without_wrk_says_in_every_row_what_to_install(tmp_path: Path) -> None:
    printed, written = benchmark(tmp_path, "serving", path=str(tmp_path))
    table, goals = tables(printed)
    measured = [row for row in table[1:] if row[1].startswith("ONNX Runtime in process")]
    assert len(measured) == 4
    for row in table[1:]:
        if row not in measured:
            assert row[3].startswith("not measured: ")
            assert ("apt-get install wrk" in row[3]) == (row[1] != "mosec")
    assert all(row[3].startswith("not measured: ") for row in goals[1:])
    assert all(goal["value"] is None and goal["met"] is None for goal in written["goals"])


def test_finance_files_of_two_sizes_are_written_and_compared(tmp_path: Path) -> None:
    printed, written = benchmark(tmp_path, "finance", "--records", "1000")
    table, goals = tables(printed)
    small, large = (int(row[0].replace(",", "")) for row in table[1:])
    # Three days and thirty of four nodes: each kind of request, idle time, bytes, the rounding.
    assert (small, large) == (72 * 4 * 25 + 3 * 24 + 1, 720 * 4 * 25 + 30 * 24 + 1)
    assert goals[1][0] == "memory for ten times the rows, as a multiple"
    assert all(line["peak_mib"] > 0 for line in written["results"])
