"""The Finance page: a month closed without a command line."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.finance_files import KEPT, MOST_BYTES, Prepared
from store import MINUTE_US, Batch, commit
from tests.fixtures_usage import MONDAY_US, fill
from tests.integration.dashboard_reader import Reader, address, html, messages, text
from tests.integration.finance_fleet import fleet_database


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleet_database(tmp_path_factory)


def press(reader: Reader, page: AppTest) -> AppTest:
    [button] = [button for button in page.button if button.label == "Prepare the files"]
    button.click()
    return reader.run(page)


def files(page: AppTest) -> Prepared:
    found: Prepared = page.session_state[KEPT]
    return found


def test_a_month_is_shown_with_its_charges_and_the_beginning_of_its_file(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + 2 * MINUTE_US, minutes=2)
    page = reader.page("finance")
    shown = html(page)
    assert "Charges of November 2025" in shown
    assert "facts as of" in shown
    assert '<td class="words">Amazon Web Services</td>' in shown
    rows = page.dataframe[0].value.to_dict("records")
    assert rows[0]["Description"] == "Rounding to invoice total, Amazon Web Services"
    assert any(row["Quantity"].startswith("0.") for row in rows)
    assert "not to the end of the period" in messages(page)[0]
    assert KEPT not in page.session_state


def test_the_files_are_written_when_asked_for_and_reconciled_on_the_page(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + 2 * MINUTE_US, minutes=2)
    page = press(reader, reader.page("finance"))
    buttons: list[Any] = list(page.get("download_button"))
    labels = [button.proto.label.split(",")[0] for button in buttons]
    assert labels == ["FOCUS 1.2 (CSV)", "For spreadsheets (CSV)", "Reconciliation", "Metadata"]
    path = files(page).path(".csv")
    found = json.loads(files(page).path("-reconciliation.json").read_text())
    assert path.name == "focus-2025-11-01-2025-12-01-hour.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == found["rows"]
    shown = html(page)
    assert f"{len(rows)} rows; facts as of" in shown
    assert "= billed cost of the file" in shown
    assert found["totals"]["billed_usd"] in shown


def test_choices_are_in_the_address_and_in_the_file(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + 2 * MINUTE_US, minutes=2)
    page = press(reader, reader.page("finance", "grain=By+day&idle=owner&idle_owner=+platform"))
    assert address(page)["idle"] == ["owner"]
    path = files(page).path(".csv")
    assert path.name.endswith("-day.csv")
    assert '{""app"":""__idle__"",""tenant"":""platform""}' in path.read_text()
    assert page.code[0].value.splitlines()[1:] == [
        f"    --database {reader.database} \\",
        f"    --prices {reader.prices} \\",
        "    --from 2025-11-01 --to 2025-12-01 \\",
        "    --grain day \\",
        "    --idle owner:platform \\",
        "    --excel \\",
        "    --out FOLDER",
    ]


def test_the_bill_of_one_cloud_is_matched(reader: Reader, fleet: Path) -> None:
    shutil.copy(fleet, reader.database)
    page = reader.page("finance")
    assert "Google Cloud" in html(page)
    page = press(reader, reader.page("finance", "finance_cloud=aws&bill=12.50"))
    assert "Google Cloud" not in html(page)
    assert "total: it has 12.49 USD more" in html(page)
    assert files(page).reconciliation["bill"]["difference_usd"] == "12.49"
    assert "--cloud aws" in page.code[0].value
    assert "--invoice 12.50" in page.code[0].value


def test_a_bill_that_is_none_is_left_out_and_told(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + 2 * MINUTE_US, minutes=2)
    # A page opens no file that an address names.
    page = press(reader, reader.page("finance", f"bill={reader.prices / 'instances.csv'}"))
    assert any("accepted: USD, such as 1234.56" in message for message in messages(page))
    page = press(reader, reader.page("finance", "bill=1.234"))
    assert any("The bill is left out" in message for message in messages(page))
    assert files(page).reconciliation["bill"] is None


def test_another_bill_needs_another_file(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + 2 * MINUTE_US, minutes=2)
    page = press(reader, reader.page("finance", "bill=1.23"))
    assert "it has 1.22 USD more" in html(page)
    page.query_params["bill"] = "4.56"
    reader.run(page)
    assert "USD more" not in html(page)


def test_what_never_ran_is_told_and_left_out_unless_asked_for(reader: Reader, fleet: Path) -> None:
    shutil.copy(fleet, reader.database)
    page = press(reader, reader.page("finance"))
    assert "2,295 requests and 1 machine of November 2025 never ran" in html(page)
    assert "simulated" not in files(page).path(".csv").read_text()
    page = press(reader, reader.page("finance", "made_up=true"))
    assert files(page).path(".csv").name.endswith("-with-simulated.csv")
    assert "--with-simulated" in page.code[0].value
    assert ",simulated\r\n" in files(page).path(".csv").read_bytes().decode()


def test_a_machine_without_a_price_is_said_in_words(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + MINUTE_US, minutes=1, node={"instance_type": "homebrew"})
    page = reader.page("finance")
    assert "no price is known for aws homebrew" in messages(page)[0]
    assert not page.button


@pytest.mark.parametrize("is_there", [False, True])
def test_without_facts_the_page_says_how_to_get_them(reader: Reader, is_there: bool) -> None:
    if is_there:
        commit(reader.database, Batch(), now_us=1)
    page = reader.page("finance")
    assert "make demo" in text(page)
    assert not messages(page)


def test_accounts_that_are_wrong_are_said_in_words(reader: Reader) -> None:
    fill(reader.database, MONDAY_US + MINUTE_US, minutes=1)
    (reader.prices / "finance.toml").write_text("[[provider]]\n")
    page = reader.page("finance")
    assert "finance.toml" in messages(page)[0]


def test_a_file_too_large_for_a_browser_is_not_handed_out(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(reader.database, MONDAY_US + MINUTE_US, minutes=1)
    assert MOST_BYTES > 10**8
    monkeypatch.setattr("dashboard.finance_files.MOST_BYTES", 100)
    page = press(reader, reader.page("finance"))
    buttons: list[Any] = list(page.get("download_button"))
    assert [button.proto.disabled for button in buttons] == [True] * 4
