"""A finance file adds up to its invoice, and says what it lacks."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from costs.focus import header_bytes
from costs.invoice import Bill, Cell
from reports.finance import FinanceError, NamedBill, load_bill
from store import DAY_US, Batch, commit
from tests.fixtures_usage import MINUTE_US, MONDAY_US, node_sample, traffic, usage_record
from tests.integration.finance_files import Written, by, days, usd, write
from tests.integration.finance_fleet import MONDAY, fleet_database, fleet_files
from tests.integration.fleet_prices import fleet_book
from tests.integration.usage_truth import PERIOD


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleet_database(tmp_path_factory)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return fleet_files(tmp_path_factory)


def test_the_charges_of_an_invoice_are_whole_cents(written: Written) -> None:
    for lines in by(written.lines, "InvoiceId").values():
        total = usd(lines, "BilledCost")
        assert total == round(total, 2)
        [adjustment] = [line for line in lines if line["ChargeCategory"] == "Adjustment"]
        assert adjustment["ChargeDescription"].startswith("Rounding to invoice total")
        assert adjustment["PricingQuantity"] == adjustment["SkuId"] == ""
        assert adjustment["BillingCurrency"] == "USD"


def test_the_reconciliation_says_what_the_file_is(written: Written) -> None:
    found = written.reconciliation
    for each, path in zip(found["files"], written.files.paths, strict=False):
        raw = path.read_bytes()
        assert (each["name"], each["bytes"]) == (path.name, len(raw))
        assert each["sha256"] == hashlib.sha256(raw).hexdigest()
    assert found["rows"] == len(written.lines)
    for name in ("List", "Contracted", "Effective", "Billed"):
        total = usd(written.lines, f"{name}Cost")
        key = f"{name.lower()}_usd"
        assert Decimal(found["totals"][key]) == total
        for groups in ("by_component", "by_charge_category", "by_service"):
            assert sum(Decimal(g[key]) for g in found[groups].values()) == total
    explained = {name: Decimal(text) for name, text in found["exact"]["explained"].items()}
    assert explained["effective_usd"] == usd(written.lines)
    assert abs(
        explained["exact_usd"]
        + explained["rounded_quantities_usd"]
        + explained["adjustments_usd"]
        - explained["effective_usd"]
    ) < Decimal("1E-16")


def test_the_reconciliation_says_what_the_facts_lack(written: Written) -> None:
    found = written.reconciliation["completeness"]
    assert found["whole"] is False
    assert found["newest_fact"] == found["facts_up_to"] == "2025-11-03T14:05:00Z"
    assert found["dropped_facts"] == {"node-3": 7}
    problems = " / ".join(found["problems"])
    for words in ("not to the end of the period", "dropped 7 facts", "no row of machine time"):
        assert words in problems


def test_a_bill_is_matched_by_a_row_of_its_own(database: Path, tmp_path: Path) -> None:
    query = days(MONDAY, cloud="aws")
    bill = NamedBill("total", Bill(Decimal("12.34")))
    found = write(database, query, fleet_book(), tmp_path, bill=bill)
    assert usd(found.lines, "BilledCost") == Decimal("12.34")
    [row] = found.of(ServiceName="Invoice difference")
    assert Decimal(row["BilledCost"]) == Decimal("12.34") - Decimal("0.02")
    assert found.reconciliation["bill"]["difference_usd"] == "12.32"
    assert {line["ProviderName"] for line in found.lines} == {"Amazon Web Services"}


def test_a_bill_for_several_invoices_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(FinanceError, match="aws 2025-11, gcp 2025-11"):
        write(database, days(MONDAY), fleet_book(), tmp_path, bill=NamedBill("t", Bill(Decimal(1))))
    assert list(tmp_path.iterdir()) == []


def test_the_id_of_an_invoice_is_for_one_invoice(database: Path, tmp_path: Path) -> None:
    with pytest.raises(FinanceError, match=r"INV-1: .* aws 2025-11, gcp 2025-11"):
        write(database, days(MONDAY, invoice_id="INV-1"), fleet_book(), tmp_path)
    found = write(database, days(MONDAY, invoice_id="INV-1", cloud="gcp"), fleet_book(), tmp_path)
    assert {line["InvoiceId"] for line in found.lines} == {"INV-1"}


def test_a_period_without_facts_is_told_with_what_there_is(database: Path, tmp_path: Path) -> None:
    query = days(date(2024, 1, 1), 31)
    with pytest.raises(FinanceError, match=r"2024-01-01.*2025-11-03T14:00:00Z"):
        write(database, query, fleet_book(), tmp_path)
    with pytest.raises(FinanceError, match="cloud azure"):
        write(database, days(MONDAY, cloud="azure"), fleet_book(), tmp_path)


def test_where_a_bill_differs_sums_to_the_difference_in_cents(
    database: Path, tmp_path: Path
) -> None:
    # Fractions of a cent, as reports have them.
    machines = Cell("Amazon Elastic Compute Cloud", "us-east-1", None, "2025-11-03")
    cells = {
        machines: Decimal("0.0178503"),
        Cell("AmazonRDS", "us-east-1", None, "2025-11-03"): Decimal("7.6549"),
        Cell("Tax", None, None, None): Decimal("-0.5"),
    }
    bill = NamedBill("bill.csv", Bill(sum(cells.values(), Decimal(0)), 3, 1, cells))
    query = days(MONDAY, cloud="aws")
    found = write(database, query, fleet_book(), tmp_path, bill=bill)
    match = found.reconciliation["bill"]
    assert (match["bill_usd"], match["difference_usd"]) == ("7.17", "7.15")
    assert (match["lines"], match["lines_of_other_periods"]) == (3, 1)
    by_service = [d for d in match["where"] if d["dimension"] == "service"]
    assert sum(Decimal(d["difference_usd"]) for d in by_service) == Decimal("7.15")
    assert sum(Decimal(d["bill_usd"]) for d in by_service) == Decimal("7.17")
    assert usd(found.lines, "BilledCost") == Decimal("7.17")


def test_a_credit_note_makes_the_invoice_negative(database: Path, tmp_path: Path) -> None:
    query = days(MONDAY, cloud="aws")
    bill = NamedBill.of_total(Decimal("-3.21"))
    found = write(database, query, fleet_book(), tmp_path, bill=bill)
    [row] = found.of(ServiceName="Invoice difference")
    assert row["BilledCost"] == row["EffectiveCost"] == "-3.23"
    assert usd(found.lines, "BilledCost") == Decimal("-3.21")


def test_a_day_on_which_nothing_ran_has_a_file_without_charges(
    database: Path, tmp_path: Path
) -> None:
    later = tmp_path / "usage.duckdb"
    later.write_bytes(database.read_bytes())
    commit(later, Batch(samples=[node_sample(sampled_at_us=PERIOD.to_us + 3 * DAY_US)]), now_us=1)
    found = write(later, days(MONDAY + timedelta(2)), fleet_book(), tmp_path / "out")
    assert found.lines == []
    assert found.path.read_bytes() == header_bytes()
    assert found.reconciliation["totals"]["billed_usd"] == "0.0"
    assert found.reconciliation["completeness"]["problems"] == []


def test_what_was_made_up_makes_no_books_whole(tmp_path: Path) -> None:
    # An hour of Monday was measured; what never ran fills the days around it.
    ran = traffic(MONDAY_US, MONDAY_US + MINUTE_US, per_second=1)
    boot = {"node_id": "made-up", "boot_id": "0198c0de-0000-7000-8000-000000000009"}
    made_up = [
        node_sample(sampled_at_us=MONDAY_US + day * DAY_US, interval_us=DAY_US, **boot)
        for day in range(-1, 3)
    ]
    record = usage_record(**boot, origin="simulated", seq=7, arrived_at_us=MONDAY_US)
    database = tmp_path / "usage.duckdb"
    commit(database, Batch([*ran.records, record], [*ran.samples, *made_up]), now_us=1)
    found = write(database, days(MONDAY), fleet_book(), tmp_path / "real")
    assert found.reconciliation["completeness"]["problems"] == [
        "facts are stored up to 2025-11-03T14:01:00Z, not to the end of the period",
        "no fact is older than 2025-11-03T14:00:00Z, after the period's begin",
    ]
    with pytest.raises(FinanceError, match=r"nothing that was measured.*to 2025-11-03T14:01:00Z"):
        write(database, days(MONDAY + timedelta(1)), fleet_book(), tmp_path / "none")
    both = write(database, days(MONDAY, simulated=True), fleet_book(), tmp_path / "both")
    assert both.reconciliation["completeness"]["problems"] == [
        "6 records are missing by their numbers"
    ]


@pytest.mark.parametrize("end", ["", "-excel"])
def test_a_file_of_ours_as_the_bill_differs_nowhere(
    database: Path, tmp_path: Path, end: str
) -> None:
    query = days(MONDAY, cloud="aws")
    first = write(database, query, fleet_book(), tmp_path / "bill", excel=True)
    bill = load_bill(str(first.path.with_name(f"{first.path.stem}{end}.csv")), query)
    again = write(database, query, fleet_book(), tmp_path, bill=bill)
    assert again.lines == first.lines
    assert again.reconciliation["bill"]["where"] == []
    assert again.reconciliation["bill"]["lines"] == len(first.lines)
