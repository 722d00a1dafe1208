"""Bills as providers send them, and where they differ from what we charge."""

import csv
import io
from decimal import Decimal

import pytest

from costs.invoice import Bill, Cell, InvoiceError, differences, parse_total, read_bill

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


def test_a_large_bill_sums_without_rounding() -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["BilledCost", "ChargePeriodStart", "ServiceName"])
    writer.writerows([["0.000000000001", "2026-11-01T00:00:00Z", "S"]] * 10_000)
    writer.writerow(["123456789012345678", "2026-11-01T00:00:00Z", "S"])
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
        (FOCUS.replace("USD,0.5", "EUR,0.5"), "BillingCurrency is 'EUR'"),
        (FOCUS.split("\n")[0], "no charge from 2026-11-01 to 2026-12-01"),
        (FOCUS + 'USD,"1', "line 5: unexpected end"),
    ],
)
def test_what_is_no_bill_is_refused_with_line_and_field(text: str, complaint: str) -> None:
    with pytest.raises(InvoiceError) as refused:
        read_bill(io.StringIO(text), *NOVEMBER)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("bill.csv")


def test_a_total_is_whole_cents() -> None:
    assert parse_total("1234.5") == Decimal("1234.50")
    assert parse_total("0") == 0
    assert parse_total("bill.csv") is None
    for text in ("1.234", "NaN", "Infinity"):
        with pytest.raises(InvoiceError, match="two decimals"):
            parse_total(text)


def test_differences_name_where_they_are_and_sum_to_the_whole_by_service() -> None:
    ours = {
        Cell(EC2, "us-east-1", "c7i.xlarge", "2026-11-01"): Decimal(5),
        Cell(EC2, "eu-west-1", "c7g.xlarge", "2026-11-02"): Decimal(3),
        Cell("Invoice rounding", None, None, "2026-11-01"): Decimal("0.01"),
    }
    theirs = {
        Cell(EC2, "us-east-1", "c7i.xlarge", "2026-11-01"): Decimal(4),
        Cell(EC2, "eu-west-1", None, "2026-11-02"): Decimal(3),
        Cell("Tax", None, None, "2026-11-01"): Decimal(2),
    }
    found = [(d.dimension, d.value, d.usd) for d in differences(ours, theirs)]
    assert found == [
        ("service", "Tax", Decimal(2)),
        ("service", EC2, Decimal(-1)),
        ("service", "Invoice rounding", Decimal("-0.01")),
        ("region", "us-east-1", Decimal(-1)),
        ("instance type", "c7g.xlarge", Decimal(-3)),
        ("instance type", "c7i.xlarge", Decimal(-1)),
        ("day", "2026-11-01", Decimal(-1)),
    ]
    services = sum(usd for dimension, _, usd in found if dimension == "service")
    assert services == sum(theirs.values()) - sum(ours.values())


def test_a_bill_that_is_a_number_has_no_parts() -> None:
    assert Bill(Decimal("9.99")).cells == {}
