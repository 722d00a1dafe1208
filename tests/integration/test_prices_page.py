"""The Prices page: what holds now, of what ran and of the whole catalogue."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from store import Batch, commit
from tests.fixtures_usage import fill
from tests.integration.dashboard_reader import Reader, address, html, messages, now_us

RULES = '[[discount]]\nname = "EDP 2026"\npercent = 10\ncloud = "aws"\n'


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def listed(page: AppTest) -> list[dict[Hashable, Any]]:
    return page.dataframe[0].value.to_dict("records")


def test_a_machine_that_ran_has_its_price_with_source_and_age(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=2, per_second=2.0)
    page = reader.page("prices")
    shown = html(page)
    assert "aws c7i.xlarge in us-east-1, on-demand" in shown
    assert "<td>0.1785</td><td>same</td>" in shown
    assert "skypilot-catalog v9/aws/vms.csv@2c3d7ea" in shown
    assert "No rules: prices are those of the lists." in shown
    assert not messages(page)


@pytest.mark.parametrize("is_there", [False, True])
def test_without_facts_the_catalogue_is_shown_all_the_same(reader: Reader, is_there: bool) -> None:
    if is_there:
        commit(reader.database, Batch(), now_us=now_us())
    page = reader.page("prices")
    assert "Nothing is recorded yet: no machine ran." in html(page)
    assert len(listed(page)) > 900
    assert not messages(page)


def test_a_rule_that_is_written_meanwhile_is_shown_everywhere(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=2, per_second=2.0)
    page, overview = reader.page("prices"), reader.overview()
    assert "0.1785" in html(overview)
    (reader.prices / "prices.toml").write_text(RULES, encoding="utf-8")
    reader.run(page)
    assert "<td>0.16065</td><td>0.1785</td>" in html(page)
    assert "EDP 2026" in html(page)
    reader.run(overview)
    assert "0.1785" not in html(overview)
    rows = [row for row in listed(page) if row["item"] == "c7i.xlarge"]
    assert all(row["rule"] == "EDP 2026" for row in rows)


def test_a_search_is_in_the_address_and_finds_what_has_all_words(reader: Reader) -> None:
    page = reader.page("prices", "search=h100+westeurope")
    assert page.text_input[0].value == "h100 westeurope"
    assert {row["item"] for row in listed(page)} == {
        "Standard_NC40ads_H100_v5",
        "Standard_ND96isr_H100_v5",
    }
    page.text_input[0].set_value("g5.xlarge spot")
    reader.run(page)
    assert address(page)["search"] == ["g5.xlarge spot"]
    assert {row["option"] for row in listed(page)} == {"spot"}
    page.text_input[0].set_value("nothing like it")
    reader.run(page)
    assert listed(page) == []
    assert "0 of 943 prices" in html(page)


@pytest.mark.parametrize(
    ("kind", "item", "per"),
    [
        ("Commitments", "c7g.2xlarge", "hour"),
        ("Transfer", "to internet", "GB"),
        ("Storage", "PD ssd zonal", "GiB-month"),
    ],
)
def test_every_kind_of_price_has_its_unit(reader: Reader, kind: str, item: str, per: str) -> None:
    rows = listed(reader.page("prices", f"kind={kind}"))
    assert per in {row["per"] for row in rows if row["item"] == item}


def test_a_machine_without_a_price_is_told_first(reader: Reader) -> None:
    header = (reader.prices / "instances.csv").read_text().split("\n")[0]
    (reader.prices / "instances.csv").write_text(f"{header}\n")
    fill(reader.database, now_us(), minutes=2, per_second=2.0)
    page = reader.page("prices")
    (message,) = messages(page)
    assert message.startswith("No price is known for aws c7i.xlarge in us-east-1, on-demand.")
    assert "No price of this kind is known." in html(page)


def test_a_wrong_rule_is_told_with_its_name(reader: Reader) -> None:
    (reader.prices / "prices.toml").write_text('[[discount]]\nname = "EDP"\npercent = 101\n')
    (message,) = messages(reader.page("prices"))
    assert "prices.toml: discount 1 ('EDP'): percent is 101; accepted" in message
