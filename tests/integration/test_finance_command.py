"""`python -m reports finance`: what it writes, says and refuses."""

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from reports.__main__ import main
from store import MINUTE_US
from tests.fixtures_usage import MONDAY_US, fill

NAME = "focus-2025-11-03-2025-11-04-hour"
ROOT = Path(__file__).parents[2]
DAY = ["--from", "2025-11-03", "--to", "2025-11-04"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("command") / "usage.duckdb"
    fill(path, MONDAY_US + 3 * MINUTE_US, minutes=3)
    return path


class Finished(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def finance(*arguments: str | Path) -> Finished:
    """Run the command in this process."""
    out, said = io.StringIO(), io.StringIO()
    with (
        chdir(ROOT),
        patch.object(sys, "argv", ["reports", "finance", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(said),
    ):
        try:
            code = main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Finished(code, out.getvalue(), said.getvalue())


def test_the_command_writes_the_files_and_prints_what_they_are(
    database: Path, tmp_path: Path
) -> None:
    # As a process of its own, as people run it.
    command = [sys.executable, "-m", "reports", "finance", "--database", str(database), *DAY]
    finished = subprocess.run(
        [*command, "--out", str(tmp_path), "--excel"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert finished.returncode == 0
    printed = json.loads(finished.stdout)
    names = [f"{NAME}{end}" for end in
             (".csv", "-excel.csv", "-metadata.json", "-reconciliation.json")]  # fmt: skip
    assert [Path(path).name for path in printed["files"]] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert Decimal(printed["totals"]["billed_usd"]) == Decimal("0.01")
    assert printed["whole"] is False
    assert "not to the end of the period" in finished.stderr


def test_a_bill_is_read_from_a_file_and_matched(database: Path, tmp_path: Path) -> None:
    plain = tmp_path / "bill.csv"
    plain.write_text(
        "lineItem/UsageStartDate,lineItem/UnblendedCost,lineItem/ProductCode,product/regionCode\n"
        "2025-11-03T14:00:00Z,0.0300000000,AmazonEC2,us-east-1\n"
        "2025-11-03T14:00:00Z,0.0100000000,AmazonRDS,us-east-1\n"
    )
    # As it is delivered.
    bill = tmp_path / "bill.csv.gz"
    bill.write_bytes(gzip.compress(plain.read_bytes()))
    choices: list[str | Path] = [
        "--invoice",
        bill,
        "--invoice-id",
        "INV-77",
        "--grain",
        "day",
        "--idle",
        "even",
    ]
    finished = finance("--database", database, *DAY, "--out", tmp_path, *choices)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["totals"]["billed_usd"] == "0.04"
    path = tmp_path / "focus-2025-11-03-2025-11-04-day-reconciliation.json"
    found = json.loads(path.read_text())["bill"]
    assert (found["name"], found["bill_usd"], found["difference_usd"]) == (
        "bill.csv.gz", "0.04", "0.03"
    )  # fmt: skip
    assert {(each["dimension"], each["value"]) for each in found["where"]} >= {
        ("service", "AmazonRDS"), ("service", "Amazon Elastic Compute Cloud"), ("day", "2025-11-03")
    }  # fmt: skip
    assert b"INV-77" in (tmp_path / "focus-2025-11-03-2025-11-04-day.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--from", "2025-11-04", "--to", "2025-11-03"], 1, "an end after the begin"),
        (["--from", "yesterday", "--to", "2025-11-03"], 2, "accepted: as 2026-11-01"),
        (
            ["--from", "2024-01-01", "--to", "2024-02-01"],
            1,
            "nothing that was measured is stored of 2024-01-01",
        ),
        ([*DAY, "--idle", "half"], 2, "accepted: separate, proportional, even"),
        ([*DAY, "--grain", "week"], 2, "--grain"),
        ([*DAY, "--cloud", "gcp"], 1, "in cloud gcp"),
        ([*DAY, "--cloud", "x" * 129], 1, "cloud is 'xxx"),
        ([*DAY, "--idle", "owner:\udcff"], 2, "that can be printed"),
        ([*DAY, "--invoice", ""], 1, "directory"),
        ([*DAY, "--invoice", "1e27"], 1, "at most two decimals"),
        ([*DAY, "--invoice", "1.234"], 1, "at most two decimals"),
        ([*DAY, "--invoice", "no-such-file.csv"], 1, "no-such-file.csv: No such file"),
        (
            [*DAY, "--invoice", str(ROOT / "pyproject.toml")],
            1,
            "no bill that is known by its columns",
        ),
        ([*DAY, "--invoice-id", "202609"], 1, "invoice_id is '202609'"),
        ([*DAY, "--prices", "no-such-folder"], 1, "instances.csv"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    database: Path, tmp_path: Path, arguments: Sequence[str], code: int, complaint: str
) -> None:
    finished = finance("--database", database, "--out", tmp_path, *arguments)
    assert finished.returncode == code
    assert complaint in finished.stderr
    assert finished.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_is_said_in_words(tmp_path: Path) -> None:
    finished = finance("--database", tmp_path / "none", *DAY, "--out", tmp_path / "out")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "start a collector first" in finished.stderr


def test_a_machine_without_a_price_is_refused_unless_it_is_left_out(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    fill(database, MONDAY_US + MINUTE_US, minutes=1, node={"instance_type": "homebrew"})
    refused = finance("--database", database, *DAY, "--out", tmp_path / "out")
    assert refused.returncode == 1
    assert "no price is known for aws homebrew" in refused.stderr
    done = finance("--database", database, *DAY, "--out", tmp_path / "out", "--leave-out-unpriced")
    assert done.returncode == 0
    assert "has no price and is left out" in done.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[provider]]\ncloud = "aws"\naccount_id = "123456789012"\naccount_name = "Main"\n',
         "account_id is '123456789012'"),
        ('[[provider]]\ncloud = "aws"\naccount_id = "acct-1"\n', "account_name"),
        ('[[provider]]\ncloud = "aws"\naccount_id = "acct-1"\naccount_name = "Main"\n'
         'sub_account_id = "sub-1"\n', "both or neither"),
        ("[[provider]\n", "finance.toml"),
    ],
)  # fmt: skip
def test_accounts_that_would_break_the_file_are_refused(
    database: Path, tmp_path: Path, text: str, complaint: str
) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    (prices / "instances.csv").write_bytes((ROOT / "data/prices/instances.csv").read_bytes())
    (prices / "finance.toml").write_text(text)
    out = tmp_path / "out"
    finished = finance("--database", database, *DAY, "--out", out, "--prices", prices)
    assert finished.returncode == 1
    assert complaint in finished.stderr
    assert not out.exists()


def test_declared_accounts_are_on_every_row(database: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    (prices / "instances.csv").write_bytes((ROOT / "data/prices/instances.csv").read_bytes())
    (prices / "finance.toml").write_text(
        '[[provider]]\ncloud = "aws"\naccount_id = "acct-4711"\naccount_name = "Production"\n'
        'sub_account_id = "sub-1"\nsub_account_name = "Inference"\n'
    )
    out = tmp_path / "out"
    finished = finance("--database", database, *DAY, "--out", out, "--prices", prices)
    assert finished.returncode == 0, finished.stderr
    rows = (out / f"{NAME}.csv").read_text().splitlines()[1:]
    assert all(",acct-4711,Production,Billing Account," in row for row in rows)
    assert all(",sub-1,Inference,Sub Account," in row for row in rows)
