"""Azure Retail Prices: what stands in texts, and terms that are called hours."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from costs import Machine
from costs.importers.azure import parse_azure
from costs.importers.found import Found, ImportFileError
from costs.prices.units import PerHour, PerTerm

ITEM: dict[str, Any] = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0.0,
    "retailPrice": 0.192,
    "unitPrice": 0.192,
    "armRegionName": "westeurope",
    "location": "EU West",
    "effectiveStartDate": "2024-08-01T00:00:00Z",
    "meterId": "m",
    "meterName": "D4s v5",
    "productId": "p",
    "productName": "Virtual Machines Dsv5 Series",
    "skuId": "s",
    "skuName": "D4s v5",
    "armSkuName": "Standard_D4s_v5",
    "serviceName": "Virtual Machines",
    "serviceFamily": "Compute",
    "unitOfMeasure": "1 Hour",
    "type": "Consumption",
    "isPrimaryMeterRegion": True,
}
PLACE = ("azure", "westeurope", "Standard_D4s_v5")
BEGIN_US = int(datetime(2024, 8, 1, tzinfo=UTC).timestamp()) * 1_000_000


def parse(*items: dict[str, Any], **page: object) -> Found:
    document = {
        "BillingCurrency": "USD",
        "CustomerEntityId": "Default",
        "Items": [{**ITEM, **item} for item in items],
        "NextPageLink": None,
        "Count": len(items),
        **page,
    }
    return parse_azure(json.dumps(document).encode(), "page-1.json", "2026-11-20")


def test_a_price_for_consumption_holds_from_its_start() -> None:
    (price,) = parse({}).prices
    assert price.machine == Machine(*PLACE, "on_demand")
    assert (price.micro_usd_per_hour, price.valid_from_us) == (192_000, BEGIN_US)
    assert (price.source, price.as_of) == ("Azure Retail Prices API", "2026-11-20")


def test_the_price_of_a_reservation_is_for_its_whole_term_whatever_its_unit_says() -> None:
    year = {"type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 876.0}
    three = {"type": "Reservation", "reservationTerm": "3 Years", "retailPrice": 1752.0}
    found = parse(year, three)
    assert [(o.upfront, o.recurring, o.payment) for o in found.commitments] == [
        (PerTerm(Fraction(876_000_000), 1), PerHour(Fraction(0)), "all_upfront"),
        (PerTerm(Fraction(1_752_000_000), 3), PerHour(Fraction(0)), "all_upfront"),
    ]
    # 876 USD over 8,760 hours are 0.10 USD an hour; only the year is what `reserved` means.
    (price,) = found.prices
    assert price.machine == Machine(*PLACE, "reserved")
    assert price.micro_usd_per_hour == 100_000
    assert price.source == "Azure Retail Prices API (reservation for a year, by the hour)"


def test_spot_is_told_by_the_text_of_sku_or_meter() -> None:
    found = parse(
        {"skuName": "D4s v5 Spot", "retailPrice": 0.05},
        {"meterName": "D8s v5 Spot", "armSkuName": "Standard_D8s_v5", "retailPrice": 0.0384125},
    )
    assert [p.machine.purchase_option for p in found.prices] == ["spot", "spot"]
    assert [p.micro_usd_per_hour for p in found.prices] == [50_000, 38_412]
    assert found.notes["price of a machine rounded to whole micro-USD per hour"] == 1


def test_a_savings_plan_is_paid_by_the_hour() -> None:
    plans = [
        {"unitPrice": 0.1, "retailPrice": 0.1376, "term": "1 Year"},
        {"unitPrice": 0.1, "retailPrice": 0.0881, "term": "3 Years"},
        {"unitPrice": 0.1, "retailPrice": 0.0881, "term": "5 Years"},
        {"unitPrice": 0.1, "retailPrice": "NaN", "term": "1 Year"},
    ]
    found = parse({"savingsPlan": plans})
    assert [(o.offering, o.term_years, o.effective) for o in found.commitments] == [
        ("savings_plan", 1, PerHour(Fraction(137_600))),
        ("savings_plan", 3, PerHour(Fraction(88_100))),
    ]
    assert found.skipped == {"savings plan: term or price is unknown": 2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skuName": "D4s v5 Low Priority"}, "Low Priority"),
        ({"meterName": "D4s v5 Low Priority"}, "Low Priority"),
        ({"productName": "Virtual Machines Dsv5 Series Windows"}, "Windows"),
        ({"productName": "Dsv3 Series Cloud Services"}, "Cloud Services"),
        ({"productName": "Dsv5 Series CloudServices"}, "Cloud Services"),
        ({"productName": "DSv5 Series Dedicated Host"}, "dedicated host"),
        ({"type": "DevTestConsumption"}, "price of DevTest"),
        ({"type": "Promotion"}, "type is 'Promotion'"),
        ({"tierMinimumUnits": 100.0}, "a higher tier"),
        ({"isPrimaryMeterRegion": False}, "not the primary meter of its region"),
        ({"unitOfMeasure": "1/Month"}, "unit is '1/Month'"),
        ({"unitOfMeasure": "100 Hours"}, "unit is '100 Hours'"),
        ({"unitOfMeasure": "1 GB"}, "unit is '1 GB'"),
        ({"currencyCode": "EUR"}, "currency is not USD"),
        ({"serviceName": "Storage"}, "service is not Virtual Machines"),
        ({"retailPrice": 0.0}, "price is not above zero"),
        ({"retailPrice": -1.0}, "price is not above zero"),
        ({"retailPrice": "NaN"}, "price is not above zero"),
        ({"retailPrice": "Infinity"}, "price is not above zero"),
        ({"retailPrice": 4e-7}, "price of a machine is below a millionth of a USD per hour"),
        ({"armRegionName": ""}, "without region or armSkuName"),
        ({"armSkuName": None}, "without region or armSkuName"),
        ({"effectiveStartDate": "soon"}, "effectiveStartDate is no date"),
        ({"effectiveStartDate": "0001-01-01T00:00:00Z"}, "effectiveStartDate is no date"),
        ({"effectiveStartDate": "0001-01-01T00:00:00+14:00"}, "effectiveStartDate is no date"),
        ({"effectiveEndDate": "2026-11-19T23:59:00Z"}, "price has ended"),
        (
            {"type": "Reservation", "reservationTerm": "5 Years"},
            "reservation for 5 Years; accepted: 1 Year, 3 Years",
        ),
        ({"type": "Reservation"}, "reservation for None; accepted: 1 Year, 3 Years"),
    ],
)
def test_what_is_no_linux_machine_at_list_price_is_left_out(
    change: dict[str, Any], reason: str
) -> None:
    found = parse(change)
    assert not found
    assert found.skipped == {reason: 1}


def test_an_amount_is_the_decimal_that_the_file_writes() -> None:
    # As binary floats 0.1 + 0.2 and the like would be off; 0.29 is 0.28999999999999998 there.
    (price,) = parse({"retailPrice": 0.29}).prices
    assert price.micro_usd_per_hour == 290_000
    plan = [{"retailPrice": 0.123456789012345, "term": "1 Year"}]
    found = parse({"savingsPlan": plan})
    assert found.commitments[0].recurring == PerHour(Fraction(123_456_789_012, 10**6))
    assert found.notes["price of a commitment rounded to twelve decimals of a USD"] == 1


def test_pages_that_name_a_next_one_are_counted() -> None:
    found = parse({}, NextPageLink="https://prices.azure.com/api/retail/prices?$skip=1000")
    assert found.notes == {"pages": 1, "pages that name a next one": 1}
    assert parse({}).notes == {"pages": 1}


def test_a_byte_order_mark_does_not_matter() -> None:
    document = b"\xef\xbb\xbf" + json.dumps({"Items": [ITEM]}).encode()
    assert len(parse_azure(document, "page.json", "2026-11-20").prices) == 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"error": {}}', "missing required field `Items`"),
        (b'{"Items": [{"retailPrice": "much"}]}', "Invalid decimal string"),
        ('{"Items": []}'.encode("utf-16"), "page.json: "),
    ],
)
def test_another_file_is_told_with_what_is_accepted(document: bytes, told: str) -> None:
    with pytest.raises(ImportFileError, match="accepted: a page of the Azure Retail") as refused:
        parse_azure(document, "page.json", "2026-11-20")
    assert told in str(refused.value)
