"""A backup has what people typed in as well, and putting it back writes over nothing of theirs."""

import json
import re
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from costs.budget import Budget, Scope
from reports.budgets.book import add_budget, budgets_beside, read_budgets
from reports.weekly import ActionDraft, actions_beside, add_action, read_actions
from store import Batch, StoreError, commit, restore
from tests.fixtures_usage import node_sample

WAIT_S = 60.0
SHOP = Budget(Scope.TENANT, Decimal("1200.50"), "shop")
# Writes as the page does, as fast as it can, until it is killed.
WRITER = """
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from costs.budget import Budget, Scope
from costs.budget_file import format_budgets
from reports.budgets.book import change_budget
path, usd = Path(sys.argv[1]), Decimal(1)
seen = Budget(Scope.EVERYTHING, usd)
others = [Budget(Scope.MODEL, usd, f"model-{n}") for n in range(200)]
path.write_text(format_budgets([seen, *others]))
print("ready", flush=True)
while True:
    changed = replace(seen, usd_per_month=seen.usd_per_month + 1)
    change_budget(path, seen, changed)
    seen = changed
"""


def collectors(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "collectors", *map(str, arguments)],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database with a fact, a budget and an action."""
    path = tmp_path / "data" / "usage.duckdb"
    path.parent.mkdir()
    now_us = time.time_ns() // 1000
    commit(path, Batch(samples=[node_sample(sampled_at_us=now_us)]), now_us=now_us)
    add_budget(budgets_beside(path), SHOP)
    draft = ActionDraft("Turn the cache on", "Ada", date(2026, 11, 30), Decimal(300))
    add_action(actions_beside(path), draft, date(2026, 11, 16))
    return path


def backed_up(database: Path, folder: Path) -> Path:
    made = collectors("backup", "--database", database, "--out", folder)
    assert (made.returncode, made.stderr) == (0, "")
    return Path(made.stdout.strip())


def test_budgets_and_actions_come_back_with_the_database(database: Path, tmp_path: Path) -> None:
    budgets_beside(database).chmod(0o600)
    backup = backed_up(database, tmp_path / "backups")
    add_budget(budgets_beside(database), Budget(Scope.EVERYTHING, Decimal(1)))
    elsewhere = tmp_path / "elsewhere" / "facts.duckdb"
    back = collectors("restore", "--database", elsewhere, backup)
    assert (back.returncode, back.stderr) == (0, "")
    assert sorted(path.name for path in elsewhere.parent.iterdir()) == [
        "actions.csv", "budgets.csv", "facts.duckdb", "facts.duckdb.collector.lock",
    ]  # fmt: skip
    assert read_budgets(budgets_beside(elsewhere)) == [SHOP]
    assert read_actions(actions_beside(elsewhere)) == read_actions(actions_beside(database))
    assert budgets_beside(elsewhere).stat().st_mode & 0o777 == 0o600


def test_what_was_typed_in_since_is_not_written_over(database: Path, tmp_path: Path) -> None:
    backup = backed_up(database, tmp_path / "backups")
    database.unlink()
    # As a restore that was cut off leaves it: the same files, and no database yet.
    again = collectors("restore", "--database", database, backup)
    assert (again.returncode, again.stderr) == (0, "")
    database.unlink()
    path = budgets_beside(database)
    add_budget(path, Budget(Scope.EVERYTHING, Decimal(1)))
    typed = path.read_bytes()
    refused = collectors("restore", "--database", database, backup)
    assert refused.returncode == 1
    assert refused.stderr == f"{path}: exists and is another one; move it away first\n"
    assert path.read_bytes() == typed
    assert not database.exists()


def test_a_backup_is_made_while_budgets_are_written_and_without_any(
    database: Path, tmp_path: Path
) -> None:
    path = budgets_beside(database)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            backup = backed_up(database, tmp_path / "while")
        finally:
            writer.kill()
    # One of the states that the file had, whole.
    assert len(read_budgets(backup / "budgets.csv")) == 201
    path.unlink()
    actions_beside(database).unlink()
    backup = backed_up(database, tmp_path / "without")
    assert sorted(file.name for file in backup.iterdir()) == ["manifest.json", "usage.duckdb"]


@pytest.mark.parametrize("name", ["../budgets.csv", "archive/../../x", "folder/x", "/etc/x", ".."])
def test_a_manifest_names_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    manifest = {
        "made_at_us": 0,
        "commits": 0,
        "files": [{"path": name, "size_bytes": 0, "sha256": ""}],
    }
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=f"{re.escape(repr(name))} is no file of a backup"):
        restore(backup, tmp_path / "new" / "usage.duckdb")
