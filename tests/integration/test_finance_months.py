"""Several months, and one that is not over: each charge in its billing period, none too early."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from costs.price_folder import parse_book
from store import DAY_US, HOUR_US, MINUTE_US, Batch, commit
from tests.fixtures_usage import node_sample, usage_record
from tests.integration.finance_files import by, days, usd, write
from tests.integration.finance_prices import PRICES

# 2025-12-01 00:00: an hour of a machine on either side, and a request a microsecond before.
DECEMBER_US = 1_764_547_200_000_000
NOVEMBER_30, DECEMBER_1 = date(2025, 11, 30), date(2025, 12, 1)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("months") / "usage.duckdb"
    samples = [
        node_sample(sampled_at_us=DECEMBER_US + (n + 1) * MINUTE_US, interval_us=MINUTE_US)
        for n in range(-60, 60)
    ]
    records = [
        usage_record(
            seq=n + 1,
            arrived_at_us=DECEMBER_US + at,
            record_id=f"{n:08x}-0000-7000-8000-000000000000",
        )
        for n, at in enumerate((-1, 0))
    ]
    commit(path, Batch(records, samples), now_us=DECEMBER_US + HOUR_US)
    return path


def test_a_charge_is_in_the_billing_period_that_it_begins_in(
    database: Path, tmp_path: Path
) -> None:
    found = write(database, days(NOVEMBER_30, 2), parse_book(PRICES, "prices"), tmp_path)
    months = by(found.lines, "BillingPeriodStart", "BillingPeriodEnd", "InvoiceId")
    assert set(months) == {
        ("2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z", "INV-acct-aws-2025-11"),
        ("2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z", "INV-acct-aws-2025-12"),
    }
    for (begin, end, _), lines in months.items():
        assert all(begin <= line["ChargePeriodStart"] < end for line in lines)
        assert all(line["ChargePeriodEnd"] <= end for line in lines)
        total = usd(lines, "BilledCost")
        assert total == round(total, 2)
        machine = [line for line in lines if line["ResourceId"] == "node/node-1"]
        assert usd(machine, "PricingQuantity") == 1
        assert sum(int(line["x_RequestCount"]) for line in machine) == 1
        fees = [line for line in lines if line["ChargeFrequency"] == "Recurring"]
        assert [line["ChargePeriodStart"] >= begin for line in fees] == [True]
        # The adjustment is for the days of the file that are of the month.
        [rounding] = [line for line in lines if line["ChargeCategory"] == "Adjustment"]
        days_of = rounding["ChargePeriodStart"][:10], rounding["ChargePeriodEnd"][:10]
        assert days_of in (("2025-11-30", "2025-12-01"), ("2025-12-01", "2025-12-02"))


def test_two_months_are_the_sum_of_each(database: Path, tmp_path: Path) -> None:
    book = parse_book(PRICES, "prices")
    both = write(database, days(NOVEMBER_30, 2), book, tmp_path / "both")
    parts = [
        write(database, days(day), book, tmp_path / str(day)) for day in (NOVEMBER_30, DECEMBER_1)
    ]
    total = sum((usd(part.lines, "BilledCost") for part in parts), Decimal(0))
    assert usd(both.lines, "BilledCost") == total


def test_what_time_alone_costs_is_charged_up_to_the_newest_fact(
    database: Path, tmp_path: Path
) -> None:
    found = write(database, days(DECEMBER_1, 31), parse_book(PRICES, "prices"), tmp_path)
    [cache] = found.of(ServiceSubcategory="Caching")
    assert cache["PricingQuantity"] == "1.0"
    [stored] = found.of(ServiceCategory="Storage")
    # An hour of the 744 of December.
    assert stored["PricingQuantity"] == "0.016801"
    unused = found.of(CommitmentDiscountStatus="Unused")
    assert usd(unused, "PricingQuantity") == 1
    [fee] = found.of(ChargeFrequency="Recurring")
    assert (fee["PricingQuantity"], fee["ChargePeriodEnd"]) == ("1.0", "2025-12-01T01:00:00Z")
    assert "not to the end of the period" in found.reconciliation["completeness"]["problems"][0]


def test_a_day_is_24_hours_whatever_clocks_do_elsewhere(database: Path, tmp_path: Path) -> None:
    # Clocks were set back on this day in much of the world; a day of the file is UTC.
    with_that_day = tmp_path / "usage.duckdb"
    with_that_day.write_bytes(database.read_bytes())
    sunday_us = DECEMBER_US - 36 * DAY_US
    samples = [
        node_sample(
            node_id="long",
            boot_id="0198c0de-0000-7000-8000-000000000009",
            sampled_at_us=sunday_us + (n + 1) * HOUR_US,
            interval_us=HOUR_US,
        )
        for n in range(24)
    ]
    commit(with_that_day, Batch(samples=samples), now_us=1)
    book = parse_book({"instances.csv": PRICES["instances.csv"]}, "prices")
    found = write(with_that_day, days(date(2025, 10, 26)), book, tmp_path / "out")
    lines = found.of(x_IsIdle="true")
    assert [line["PricingQuantity"] for line in lines] == ["1.0"] * 24
    assert len({line["ChargePeriodStart"] for line in lines}) == 24
