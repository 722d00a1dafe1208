"""Bills as providers send them: FOCUS and AWS reports."""

import csv
import io
from decimal import Decimal

import pytest

from costs.invoice import Cell, InvoiceError
from costs.invoice_file import read_bill

FOCUS = """\
BillingCurrency,BilledCost,ChargePeriodStart,ServiceName,RegionId,SkuPriceDetails
USD,1.10,2026-11-01T00:00:00Z,EC2,us-east-1,"{""InstanceType"":""c7i.xlarge""}"
USD,2.205,2026-11-30T23:00:00Z,EC2,us-east-1,"{""InstanceType"":""c7i.xlarge""}"
USD,9.99,2026-12-01T00:00:00Z,EC2,us-east-1,
USD,0.5,2026-11-02T00:00:00Z,Tax,,
""".replace("EC2", "Amazon Elastic Compute Cloud")
LEGACY = """\
identity/LineItemId,bill/InvoiceId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/ProductCode,lineItem/UsageType,lineItem/CurrencyCode,lineItem/UnblendedCost,product/instanceType,product/region
a,1,Usage,2026-11-01T00:00:00Z,AmazonEC2,BoxUsage:c7i.xlarge,USD,0.1785000000,c7i.xlarge,us-east-1
b,1,Usage,2026-11-01T01:00:00Z,AmazonEC2,DataTransfer-Out-Bytes,USD,0.0900000000,,us-east-1
c,1,Usage,2026-11-01T01:00:00Z,AmazonEC2,EBS:VolumeUsage.gp3,USD,0.0800000000,,us-east-1
d,1,Tax,2026-11-01T00:00:00Z,AmazonEC2,,USD,0.0700000000,,
e,1,Usage,2026-10-31T23:00:00Z,AmazonEC2,BoxUsage:c7i.xlarge,USD,5.0000000000,c7i.xlarge,us-east-1
f,1,RIFee,2026-11-01T00:00:00Z,AmazonEC2,HeavyUsage:c7i.xlarge,USD,0.0600000000,c7i.xlarge,us-east-1
"""  # fmt: skip
NOVEMBER = ("bill.csv", "2026-11-01", "2026-12-01")
EC2 = "Amazon Elastic Compute Cloud"


def snake(text: str) -> str:
    """Return the same report with the column names of version 2.0."""
    header, rest = text.split("\n", 1)
    names = []
    for column in header.split(","):
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in column)
        names.append(
            words.replace("/_", "_")
            .replace("/", "_")
            .replace("product_region", "product_region_code")
        )
    return ",".join(names) + "\n" + rest


def test_a_focus_file_is_read_for_the_days_asked_for() -> None:
    found = read_bill(io.StringIO(FOCUS), *NOVEMBER)
    assert (found.total, found.lines) == (Decimal("3.805"), 3)
    assert found.cells == {
        Cell(EC2, "us-east-1", "c7i.xlarge", "2026-11-01"): Decimal("1.10"),
        Cell(EC2, "us-east-1", "c7i.xlarge", "2026-11-30"): Decimal("2.205"),
        Cell("Tax", None, None, "2026-11-02"): Decimal("0.5"),
    }


@pytest.mark.parametrize("text", [LEGACY, snake(LEGACY)])
def test_a_report_of_aws_is_read_in_both_its_versions(text: str) -> None:
    found = read_bill(io.StringIO(text), *NOVEMBER)
    assert found.total == Decimal("0.4785")
    day = "2026-11-01"
    assert found.cells == {
        Cell(EC2, "us-east-1", "c7i.xlarge", day): Decimal("0.2385"),
        Cell("AWS Data Transfer", "us-east-1", None, day): Decimal("0.09"),
        Cell("Amazon Elastic Block Store", "us-east-1", None, day): Decimal("0.08"),
        Cell("Tax", None, None, day): Decimal("0.07"),
    }


def test_a_file_from_a_spreadsheet_with_a_mark_before_it_is_read() -> None:
    assert read_bill(io.StringIO("\ufeff" + FOCUS), *NOVEMBER).total == Decimal("3.805")


def test_an_instant_with_a_zone_is_of_its_day_in_utc() -> None:
    text = FOCUS.replace("2026-12-01T00:00:00Z", "2026-12-01T00:30:00+02:00")
    assert read_bill(io.StringIO(text), *NOVEMBER).total == Decimal("13.795")


def test_instants_are_read_as_each_provider_writes_them() -> None:
    for text in ("2026-11-30 23:00:00 UTC", "2026-11-30T23:00Z", "2026-11-30T23:00:00.000Z"):
        bill = FOCUS.replace("2026-11-30T23:00:00Z", text)
        assert read_bill(io.StringIO(bill), *NOVEMBER).total == Decimal("3.805")


def test_a_large_bill_sums_without_rounding() -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["BilledCost", "ChargePeriodStart", "ServiceName", "BillingCurrency"])
    writer.writerows([["0.000000000001", "2026-11-01T00:00:00Z", "S", "USD"]] * 10_000)
    writer.writerow(["123456789012345678", "2026-11-01T00:00:00Z", "S", "USD"])
    out.seek(0)
    assert read_bill(out, *NOVEMBER).total == Decimal("123456789012345678.00000001")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no bill that is known by its columns"),
        ("a,b\n1,2\n", "no bill that is known by its columns"),
        (FOCUS.replace("1.10", "one"), "line 2: BilledCost is 'one'"),
        (FOCUS.replace("1.10", "NaN"), "line 2: BilledCost is 'NaN'"),
        (FOCUS.replace("2026-11-02T00:00:00Z", "yesterday"), "ChargePeriodStart is 'yesterday'"),
        (FOCUS.replace("USD,0.5", "EUR,0.5"), "line 5: BillingCurrency is 'EUR'"),
        (FOCUS.replace("USD,0.5", ",0.5"), "line 5: BillingCurrency is ''"),
        (FOCUS.replace("BillingCurrency", "Currency"), "no bill that is known by its columns"),
        (snake(LEGACY).replace("USD,0.07", "CNY,0.07"), "line 5: line_item_currency_code is 'CNY'"),
        (FOCUS.split("\n")[0], "no charge from 2026-11-01 to 2026-12-01"),
        (FOCUS + 'USD,"1', "line 6: unexpected end"),
        # A decimal comma, and a line that was cut off.
        (FOCUS.replace("2.205", "2,205"), "line 3: 7 fields; accepted: 6"),
        (FOCUS + "USD,1.10,2026-11-01", "line 6: 3 fields; accepted: 6"),
        # What no bill comes to, and what could only be added up by rounding.
        (FOCUS.replace("1.10", "1e999999"), "line 2: BilledCost is '1e999999'"),
        (FOCUS.replace("1.10", "1e-61"), "line 2: BilledCost is '1e-61'"),
    ],
)
def test_what_is_no_bill_is_refused_with_line_and_field(text: str, complaint: str) -> None:
    with pytest.raises(InvoiceError) as refused:
        read_bill(io.StringIO(text), *NOVEMBER)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("bill.csv")


def billed(text: str) -> str:
    """Return FOCUS with the billing period of each line as in `text`, in order."""
    periods = ["BillingPeriodStart", *text.split()]
    lines = FOCUS.splitlines()
    return "".join(f"{line},{period}\n" for line, period in zip(lines, periods, strict=True))


NOVEMBER_1, OCTOBER_1, DECEMBER_1 = (f"2026-{month}-01T00:00:00Z" for month in (11, 10, 12))


def test_a_refund_is_in_the_bill_that_has_it_whenever_its_charge_was() -> None:
    text = billed(" ".join([NOVEMBER_1] * 4)).replace("USD,0.5,2026-11-02", "USD,-0.5,2026-10-02")
    found = read_bill(io.StringIO(text), *NOVEMBER)
    # So is what was charged for the first moment after the month.
    assert found.total == Decimal("1.10") + Decimal("2.205") + Decimal("9.99") - Decimal("0.5")
    assert (found.lines, found.left_out) == (4, 0)


def test_what_the_bill_of_another_month_has_is_left_out_and_counted() -> None:
    text = billed(f"{NOVEMBER_1} {DECEMBER_1} {DECEMBER_1} {OCTOBER_1}")
    found = read_bill(io.StringIO(text), *NOVEMBER)
    assert (found.total, found.lines, found.left_out) == (Decimal("1.10"), 1, 3)


def test_of_a_part_of_a_month_the_days_count() -> None:
    text = billed(f"{NOVEMBER_1} {NOVEMBER_1} {DECEMBER_1} {OCTOBER_1}")
    found = read_bill(io.StringIO(text), "bill.csv", "2026-11-02", "2026-12-01")
    assert (found.total, found.left_out) == (Decimal("2.205"), 3)


def test_a_bill_that_is_of_no_calendar_month_is_read_by_the_day() -> None:
    text = billed(" ".join(["2026-10-15T00:00:00Z"] * 4))
    assert read_bill(io.StringIO(text), *NOVEMBER).total == Decimal("3.805")


@pytest.mark.parametrize("text", [LEGACY, snake(LEGACY)])
def test_a_credit_of_an_earlier_month_is_in_the_report_of_its_bill(text: str) -> None:
    header, *lines = text.splitlines()
    snaked = header.startswith("identity_")
    column = "bill_billing_period_start_date" if snaked else "bill/BillingPeriodStartDate"
    told = [f"{header},{column}", *(f"{line},{NOVEMBER_1}" for line in lines)]
    found = read_bill(io.StringIO("\n".join(told)), *NOVEMBER)
    assert found.total == Decimal("5.4785")
