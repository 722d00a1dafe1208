"""A finance file meets every trap of its format, and is there whole or not at all."""

import csv
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs.focus import BOM, COLUMNS, HEADER, Kind, Row, RowCheck
from reports.finance import (
    FinanceError,
    charge_source,
    preview,
    write_files,
)
from store import Batch, commit
from tests.fixtures_usage import node_sample
from tests.integration.finance_files import Line, Written, days, write
from tests.integration.finance_fleet import MONDAY, fleet_database, fleet_files
from tests.integration.fleet_prices import fleet_book
from tests.integration.usage_truth import (
    PERIOD,
    fleet_facts,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleet_database(tmp_path_factory)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return fleet_files(tmp_path_factory)


def test_every_row_satisfies_every_rule_when_it_is_read_back(written: Written) -> None:
    check = RowCheck()
    for line in written.lines:
        check(parsed(line))
        for name in ("List", "Contracted"):
            if line[f"{name}UnitPrice"]:
                product = Decimal(line[f"{name}UnitPrice"]) * Decimal(line["PricingQuantity"])
                assert product == Decimal(line[f"{name}Cost"])


def parsed(line: Line) -> Row:
    fields: dict[str, Any] = {}
    for column in COLUMNS:
        text = line[column.name]
        if not text:
            continue
        match column.kind:
            case Kind.DECIMAL:
                fields[column.field] = Decimal(text)
            case Kind.INTEGER:
                fields[column.field] = int(text)
            case Kind.BOOLEAN:
                fields[column.field] = text == "true"
            case Kind.INSTANT:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
                instant = date.fromisoformat(text[:10]).toordinal() - 719_163
                clock = [int(part) for part in text[11:-1].split(":")]
                seconds = instant * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
                fields[column.field] = seconds * 10**6
            case _:
                fields[column.field] = text
    return Row(**fields)


def test_the_file_has_every_column_and_no_quoted_nothing(written: Written) -> None:
    raw = written.path.read_bytes()
    header, *lines = raw.split(b"\r\n")
    assert header.decode() == ",".join(HEADER)
    assert lines[-1] == b""
    assert b',"",' not in raw
    assert not raw.startswith(BOM)
    decimals = [column.name for column in COLUMNS if column.kind is Kind.DECIMAL]
    for line in written.lines:
        assert all("." in line[name] for name in decimals if line[name])
        assert not any("e" in line[name].lower() for name in decimals)
        assert not any(line[name].startswith("+") for name in decimals)


def test_rows_are_in_order_and_none_is_there_twice(written: Written) -> None:
    keys = [
        (
            line["ChargePeriodStart"],
            line["ServiceName"],
            line["ResourceId"],
            line["ChargeCategory"],
            line["ChargeDescription"],
        )
        for line in written.lines
    ]
    assert keys == sorted(keys)
    assert len({tuple(line.values()) for line in written.lines}) == len(written.lines)


def test_the_variant_for_spreadsheets_has_the_same_charges_and_no_formula(
    written: Written,
) -> None:
    excel = written.path.with_name(f"{written.path.stem}-excel.csv")
    raw = excel.read_bytes()
    assert raw.startswith(BOM)
    with excel.open(encoding="utf-8-sig", newline="") as text:
        lines = list(csv.DictReader(text))
    kinds = {column.name: column.kind for column in COLUMNS}
    for line, own in zip(lines, written.lines, strict=True):
        for name, text_there in line.items():
            if kinds[name] in (Kind.TEXT, Kind.JSON):
                assert text_there[:1] not in ("=", "+", "-", "@", "\t", "\r", "\0")
                assert text_there.removeprefix("'") == own[name].removeprefix("'")
            else:
                assert text_there == own[name]


def test_the_same_facts_give_the_same_bytes(
    database: Path, tmp_path: Path, written: Written
) -> None:
    again = write(database, days(MONDAY), fleet_book(), tmp_path, excel=True)
    for path, other in zip(written.files.paths, again.files.paths, strict=True):
        assert path.read_bytes() == other.read_bytes(), path.name


def test_facts_that_came_in_another_order_give_the_same_charges(
    tmp_path: Path, written: Written
) -> None:
    facts = fleet_facts()
    other = tmp_path / "other.duckdb"
    for records, samples in (
        (facts.records[1::2], facts.samples),
        (facts.records[::2], []),
    ):
        commit(other, Batch(records[::-1], samples), now_us=PERIOD.to_us)
    assert write(other, days(MONDAY), fleet_book(), tmp_path / "out").lines == written.lines


def test_the_metadata_have_the_instant_of_the_newest_commit(written: Written) -> None:
    path = next(path for path in written.files.paths if "metadata" in path.name)
    found = json.loads(path.read_text())
    assert found["Schema"]["CreationDate"] == "2025-11-03T14:05:00Z"
    assert len(found["Schema"]["ColumnDefinition"]) == len(HEADER)


def test_the_database_is_free_while_rows_are_written(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    path.write_bytes(database.read_bytes())
    with charge_source(path, fleet_book(), {}, days(MONDAY)) as source:
        rows = source.charges()
        next(rows)
        commit(path, Batch(samples=[node_sample(sampled_at_us=PERIOD.to_us)]), now_us=1)
        next(rows)


def test_a_preview_is_the_beginning_of_the_file(database: Path, written: Written) -> None:
    with charge_source(database, fleet_book(), {}, days(MONDAY)) as source:
        rows, plan = preview(source, 5)
    assert [[cell or "" for cell in row] for row in rows] == [
        list(line.values()) for line in written.lines[:5]
    ]
    assert sum(plan.billed.values()) == sum(
        Decimal(i["charges_usd"]) for i in written.reconciliation["invoices"]
    )


def test_nothing_is_left_behind_when_the_folder_cannot_be_written(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(FinanceError, match="a folder with room is required"):
        write(database, days(MONDAY), fleet_book(), file)


def test_what_breaks_while_rows_are_written_leaves_the_files_of_before(
    database: Path, tmp_path: Path
) -> None:
    write(database, days(MONDAY), fleet_book(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(rows: int, at_us: int) -> None:
        raise KeyboardInterrupt

    with (
        charge_source(database, fleet_book(), {}, days(MONDAY)) as source,
        pytest.raises(KeyboardInterrupt),
    ):
        write_files(source, tmp_path, progress=broken)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


KILLED = """
import os, signal, sys
from pathlib import Path
from reports.finance import charge_source, write_files
from tests.integration.finance_files import days
from tests.integration.finance_fleet import MONDAY
from tests.integration.fleet_prices import fleet_book

def kill(rows, at_us):
    os.kill(os.getpid(), signal.SIGKILL)

with charge_source(Path(sys.argv[1]), fleet_book(), {}, days(MONDAY)) as source:
    write_files(source, Path(sys.argv[2]), progress=kill)
"""


def test_a_killed_process_leaves_no_file_and_is_in_nobodys_way(
    database: Path, tmp_path: Path, written: Written
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(database), str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert all(path.suffix == ".partial" for path in tmp_path.iterdir())
    assert list(tmp_path.iterdir())
    again = write(database, days(MONDAY), fleet_book(), tmp_path, excel=True)
    assert again.path.read_bytes() == written.path.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(again.files.paths)


def test_who_writes_the_same_files_at_once_waits(database: Path, tmp_path: Path) -> None:
    def look(rows: int, at_us: int) -> None:
        descriptor = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)

    with charge_source(database, fleet_book(), {}, days(MONDAY)) as source:
        write_files(source, tmp_path, progress=look)


def test_it_is_known_when_a_spreadsheet_would_not_show_all_of_it(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert written.files.fits_spreadsheet
    for rows, fits in ((len(written.lines) + 1, True), (len(written.lines), False)):
        monkeypatch.setattr("reports.finance.files.SPREADSHEET_ROWS", rows)
        assert written.files.fits_spreadsheet == fits
