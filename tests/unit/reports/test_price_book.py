"""A folder of price files is read whole, and what is wrong in it is told by file."""

from pathlib import Path

import pytest

from costs import Machine
from reports import ReportError
from reports.price_book import load_catalogue, load_price_book

ROOT = Path(__file__).parents[3]
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
INSTANCES = (
    "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
    "aws,us-east-1,c7i.xlarge,on_demand,0.1785,,2025-04-04,list\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "instances.csv").write_text(INSTANCES)
    return tmp_path


def test_the_shipped_folder_is_a_book() -> None:
    book = load_price_book(ROOT / "data/prices")
    assert len(book.machines) > 900
    assert len(book.commitments) > 800
    assert book.transfer_at("azure", "westeurope", "internet", 0).micro_usd == 87_500


def test_a_folder_of_machines_alone_is_enough(folder: Path) -> None:
    assert load_price_book(folder).machines.at(MACHINE, 0).micro_usd_per_hour == 178_500


def test_the_users_rules_hold_for_every_reader(folder: Path) -> None:
    (folder / "prices.toml").write_text('[[discount]]\nname = "EDP"\npercent = 10\n')
    for found in (load_catalogue(folder), load_price_book(folder).machines):
        assert found.at(MACHINE, 0).micro_usd_per_hour == 160_650


def test_a_folder_without_machines_is_told(tmp_path: Path) -> None:
    for load in (load_catalogue, load_price_book):
        with pytest.raises(ReportError, match=r"instances\.csv: No such file.*is required"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("prices.toml", b"[[rebate]]", r"prices\.toml: 'rebate' is unknown"),
        ("prices.toml", b'x = "\xff"', r"prices\.toml: not UTF-8 at byte 5"),
        ("instances.csv", b"", r"instances\.csv: header must be"),
        ("transfer.csv", b"cloud\n", r"transfer\.csv: header must be"),
        ("storage.csv", "preis\xe9\n".encode("latin-1"), r"storage\.csv: not UTF-8 at byte 5"),
    ],
)
def test_a_wrong_file_is_told_by_name(folder: Path, name: str, content: bytes, told: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ReportError, match=told):
        load_price_book(folder)


def test_a_folder_in_the_place_of_a_file_is_told(folder: Path) -> None:
    (folder / "storage.csv").mkdir()
    with pytest.raises(ReportError, match=r"storage\.csv: Is a directory"):
        load_price_book(folder)
