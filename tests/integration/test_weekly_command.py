"""`python -m reports weekly`: for cron and mail, so one line of path, or one line of trouble."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.weekly import Week, pdf_trouble
from store import HOUR_US, Batch, commit
from tests.fixtures_usage import rejected_line
from tests.integration.dashboard_reader import now_us
from tests.weeks_of_facts import commit_hours

ROOT = Path(__file__).parents[2]
WEEK = Week(2025, 47)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weekly") / "usage.duckdb"
    commit_hours(path, WEEK.period.from_us, WEEK.period.from_us + 30 * HOUR_US)
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: Path) -> Run:
    """Return a function that runs the command and returns exit code, output and errors."""

    def command(*arguments: str | Path, at: Path = database) -> tuple[int, str, str]:
        words = ["reports", "weekly", "--database", at, *arguments]
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        monkeypatch.chdir(ROOT)
        code = main()
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def test_it_prints_the_path_and_nothing_else(database: Path, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    command = [sys.executable, "-m", "reports", "weekly", "--database", str(database)]
    done = subprocess.run(
        [*command, "--week", "2025-W47", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    assert "Week 47 of 2025 cost 5.36 USD" in out.read_text()


@pytest.mark.parametrize("suffix", ["html", "pdf", "json"])
def test_each_kind_of_file_is_written_whole_and_alike(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    if suffix == "pdf" and pdf_trouble():
        assert not os.environ.get("CI"), pdf_trouble()
        pytest.skip(str(pdf_trouble()))
    out = tmp_path / f"week.{suffix}"
    out.write_text("of the week before")
    assert run("--week", "2025-W47", "--out", out) == (0, f"{out}\n", "")
    first = out.read_bytes()
    assert first.startswith({"html": b"<!DOCTYPE", "pdf": b"%PDF-", "json": b"{"}[suffix])
    run("--week", "2025-W47", "--out", out)
    assert out.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_without_a_week_it_is_the_last_complete_one(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "week.json"
    before = Week.of(now_us()).plus(-1)
    assert run("--out", out)[0] == 0
    assert json.loads(out.read_text())["week"] in (str(before), str(before.plus(1)))


def test_actions_and_budgets_beside_the_database_are_in_it(
    run: Run, database: Path, tmp_path: Path
) -> None:
    actions, budgets, out = (tmp_path / name for name in ("a.csv", "b.csv", "week.json"))
    actions.write_text(
        "id,title,owner,due,saving_usd_per_month,status,created,changed\n"
        '7,"Cache, on",Ada,2025-12-01,12.50,doing,2025-11-01,2025-11-01\n'
    )
    budgets.write_text("")
    assert run("--out", out, "--week", "2025-W47", "--budgets", budgets)[0] == 0
    assert json.loads(out.read_text())["actions"] == []
    assert run("--out", out, "--week", "2025-W47", "--actions", actions)[0] == 0
    [action] = json.loads(out.read_text())["actions"]
    assert (action["id"], action["title"], action["saving_usd_per_month"]) == (7, "Cache, on", 12.5)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--out", "week.docx"), "out is week.docx; accepted: a name that ends in .html, .pdf"),
        (("--out", "week"), "accepted: a name that ends in"),
        (("--out", "/nowhere/week.html"), "/nowhere/week.html: No such file or directory"),
        (("--out", "w.html", "--week", "2025-W53"), "2025 has weeks 1 to 52"),
        (("--out", "w.html", "--week", "last"), "week is 'last'; accepted: a week like 2026-W47"),
        (("--out", "w.html", "--prices", "/nowhere"), "instances.csv"),
        (("--out", "w.html", "--targets", "/nowhere"), "a targets file is required"),
        (("--out", "w.html", "--actions", "README.md"), "README.md line 1 must be id,title,owner"),
        (("--out", "w.html", "--budgets", "README.md"), "README.md"),
        (("--out", "w.html", "--actions", "/nowhere.csv"), "/nowhere.csv: No such file"),
        (("--out", "w.html", "--budgets", "/nowhere.csv"), "/nowhere.csv: No such file"),
        (("--out", "w.html", "--week", "2026-W60"), "2026 has weeks 1 to 53"),
        (("--out", "w.html", "--week", "2098-W10"), "begins on 2098-03-03; accepted: weeks up to"),
    ],
)
def test_trouble_is_one_line_and_writes_nothing(
    run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert complaint in err
    assert err.count("\n") == 1
    assert not (ROOT / "w.html").exists()


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    out.mkdir()
    assert run("--out", out, "--week", "2025-W47") == (1, "", f"{out}: Is a directory\n")
    assert list(tmp_path.iterdir()) == [out]


def test_a_missing_and_an_empty_database_are_told_apart(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    code, _, err = run("--out", out, at=tmp_path / "none.duckdb")
    assert (code, err.count("\n")) == (1, 1)
    assert "start a collector first" in err
    commit(tmp_path / "empty.duckdb", Batch(rejected=[rejected_line()]), now_us=1)
    code, _, err = run("--out", out, at=tmp_path / "empty.duckdb")
    assert (code, err.count("\n")) == (1, 1)
    assert "holds no fact yet" in err
    assert not out.exists()


def test_without_a_place_for_the_file_it_is_a_wrong_call(run: Run) -> None:
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 2
