"""What is paid whether it is used or not: commitments, storage and caches in a finance file."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import TICKS_PER_USD, PriceBook
from costs.price_folder import parse_book
from reports.costs import load_costs
from reports.finance import Grain
from store import DAY_US, HOUR_US, MINUTE_US, Batch, commit, open_writer
from store.compaction import fold_minutes
from tests.fixtures_usage import MONDAY_US, node_sample, traffic
from tests.integration.finance_files import Line, Written, by, days, usd, write
from tests.integration.finance_prices import PRICES

# Two reserved machines from 14:00 on: one for ten hours, the other for four of them.
HOURS = {"node-1": range(10), "node-2": range(3, 7)}
MONDAY = date(2025, 11, 3)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commitments") / "usage.duckdb"
    samples = [
        node_sample(
            node_id=node,
            boot_id=f"0198c0de-0000-7000-8000-00000000000{node[-1]}",
            sampled_at_us=MONDAY_US + hour * HOUR_US + (minute + 1) * MINUTE_US,
            interval_us=MINUTE_US,
            purchase_option="reserved",
        )
        for node, hours in HOURS.items()
        for hour in hours
        for minute in range(60)
    ]
    facts = traffic(MONDAY_US, MONDAY_US + 2 * MINUTE_US, per_second=2)
    commit(path, Batch(facts.records, samples), now_us=MONDAY_US + 10 * HOUR_US)
    return path


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return parse_book(PRICES, "prices")


@pytest.fixture(scope="module", params=list(Grain))
def written(
    request: pytest.FixtureRequest,
    database: Path,
    book: PriceBook,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Written]:
    # Grain by grain: what is covered by the hour must not depend on how charges are shown.
    yield write(database, days(MONDAY, grain=request.param), book, tmp_path_factory.mktemp("out"))


def hours(lines: list[Line]) -> Decimal:
    return usd(lines, "PricingQuantity")


def test_an_hour_that_is_covered_is_paid_for_already(written: Written) -> None:
    used = written.of(CommitmentDiscountStatus="Used")
    # From 14 o'clock to midnight one machine is covered, whichever of the two.
    assert hours(used) == 10
    assert usd(used, "BilledCost") == 0
    assert {line["PricingCategory"] for line in used} == {"Committed"}
    assert {line["CommitmentDiscountId"] for line in used} == {"ri-2025-1"}
    # What it would be on demand, before and after the negotiated discount.
    assert {line["ListUnitPrice"] for line in used} == {"0.1785"}
    assert {line["ContractedUnitPrice"] for line in used} == {"0.16065"}
    rate = Fraction(5, 100) + Fraction(500, 365 * 24)
    assert abs(Fraction(usd(used)) - 10 * rate) < Fraction(1, 10**11)


def test_what_ran_beyond_the_commitment_is_billed_on_demand(written: Written) -> None:
    beyond = [
        line
        for line in written.of(ServiceCategory="Compute", ChargeCategory="Usage")
        if not line["CommitmentDiscountId"]
    ]
    assert hours(beyond) == 4
    assert {line["SkuId"] for line in beyond} == {"aws/us-east-1/c7i.xlarge/on_demand"}
    assert {line["PricingCategory"] for line in beyond} == {"Standard"}
    assert usd(beyond) == usd(beyond, "BilledCost") == 4 * Decimal("0.16065")
    assert usd(beyond, "ListCost") == 4 * Decimal("0.1785")


def test_hours_that_nobody_used_are_rows_of_their_own_and_no_idle_time(written: Written) -> None:
    unused = written.of(CommitmentDiscountStatus="Unused")
    # From midnight to 14 o'clock.
    assert hours(unused) == 14
    for line in unused:
        assert line["ConsumedQuantity"] == line["ConsumedUnit"] == ""
        assert line["ResourceId"] == line["x_IsIdle"] == ""
        assert line["BilledCost"] == "0.0"
    rate = Fraction(5, 100) + Fraction(500, 365 * 24)
    assert abs(Fraction(usd(unused)) - 14 * rate) < Fraction(1, 10**11)


def test_purchases_are_billed_and_not_amortised(written: Written) -> None:
    purchases = by(written.of(ChargeCategory="Purchase"), "ChargeFrequency")
    [upfront] = purchases["One-Time",]
    assert (upfront["BilledCost"], upfront["EffectiveCost"]) == ("500.0", "0.0")
    assert (upfront["PricingQuantity"], upfront["PricingUnit"]) == ("1.0", "Units")
    assert upfront["CommitmentDiscountQuantity"] == "8760.0"
    [hourly] = purchases["Recurring",]
    assert (hourly["BilledCost"], hourly["EffectiveCost"]) == ("1.2", "0.0")
    assert (hourly["PricingQuantity"], hourly["CommitmentDiscountQuantity"]) == ("24.0", "24.0")
    assert hourly["ConsumedQuantity"] == hourly["CommitmentDiscountStatus"] == ""


def test_amortised_cost_is_what_the_costs_page_says(
    written: Written, database: Path, book: PriceBook
) -> None:
    exact = Fraction(written.reconciliation["exact"]["explained"]["exact_usd"])
    report = load_costs(database, book, None, MONDAY_US + 10 * HOUR_US)
    assert report is not None
    # The page begins with the first fact, the file with the day: fourteen hours of standing cost.
    before = 14 * (Fraction(5, 100) + Fraction(500, 365 * 24)) + 14 * Fraction(68, 1000)
    before += Fraction(125, 10) * Fraction(14, 24 * 30) * Fraction(23, 1000)
    total = Fraction(report.total.total) / TICKS_PER_USD + before
    assert abs(exact - total) < Fraction(1, 10**15)
    assert abs(Fraction(usd(written.lines)) - total) < Fraction(1, 100)


def test_the_file_explains_how_amortised_becomes_billed(written: Written) -> None:
    explained = {
        name: Decimal(text) for name, text in written.reconciliation["exact"]["explained"].items()
    }
    assert (
        explained["effective_usd"]
        + explained["paid_for_by_commitments_usd"]
        + explained["commitments_bought_usd"]
        == explained["billed_usd"]
        == usd(written.lines, "BilledCost")
    )
    assert explained["commitments_bought_usd"] == Decimal("501.2")


def test_storage_is_a_part_of_the_calendar_month_and_caches_are_hours(written: Written) -> None:
    [stored] = written.of(ServiceCategory="Storage")
    assert (stored["PricingUnit"], stored["PricingQuantity"]) == ("GB-Months", "0.416667")
    assert stored["SkuPriceDetails"] == '{"StorageClass":"object_standard"}'
    assert stored["ResourceName"] == "model repository"
    [cache] = written.of(ServiceSubcategory="Caching")
    assert (cache["PricingQuantity"], cache["BilledCost"]) == ("24.0", "1.632")


def test_requests_are_counted_once_however_their_hours_are_paid_for(written: Written) -> None:
    counted = sum(int(line["x_RequestCount"] or 0) for line in written.lines)
    assert counted == written.reconciliation["requests"]["stored"] > 0


def test_hours_that_were_folded_are_covered_as_before(
    database: Path, book: PriceBook, written: Written, tmp_path: Path
) -> None:
    folded = tmp_path / "folded.duckdb"
    folded.write_bytes(database.read_bytes())
    with open_writer(folded) as connection:
        fold_minutes(connection, MONDAY_US // DAY_US * DAY_US + DAY_US)
    grain = Grain(written.reconciliation["period"]["grain"])
    again = write(folded, days(MONDAY, grain=grain), book, tmp_path / "out")
    assert again.lines == written.lines


def test_a_commitment_that_nobody_uses_is_paid_for_all_the_same(
    database: Path, book: PriceBook, tmp_path: Path
) -> None:
    with_day_after = tmp_path / "usage.duckdb"
    with_day_after.write_bytes(database.read_bytes())
    tuesday = MONDAY_US // DAY_US * DAY_US + DAY_US
    sample = node_sample(
        node_id="other",
        boot_id="0198c0de-0000-7000-8000-000000000009",
        sampled_at_us=tuesday + DAY_US,
        interval_us=MINUTE_US,
    )
    commit(with_day_after, Batch(samples=[sample]), now_us=tuesday + DAY_US)
    found = write(with_day_after, days(date(2025, 11, 4)), book, tmp_path / "out")
    assert hours(found.of(CommitmentDiscountStatus="Unused")) == 24
    assert found.of(CommitmentDiscountStatus="Used") == []
    assert [line["ChargeFrequency"] for line in found.of(ChargeCategory="Purchase")] == [
        "Recurring"
    ]
