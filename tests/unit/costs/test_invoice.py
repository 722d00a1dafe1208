"""The total of a bill, and where it differs from what we charge."""

from decimal import Decimal

import pytest

from costs.invoice import Cell, InvoiceError, differences, parse_total

EC2 = "Amazon Elastic Compute Cloud"


def test_a_total_is_whole_cents() -> None:
    assert parse_total("1234.5") == Decimal("1234.50")
    assert parse_total("0") == 0
    assert parse_total("bill.csv") is None
    for text in ("1.234", "NaN", "Infinity", "1e27", "1e400", "9" * 40):
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
