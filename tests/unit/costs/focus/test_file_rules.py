"""What the rows of a file must satisfy together."""

from decimal import Decimal
from typing import Any

import pytest

from costs.focus import FileCheck, FocusError
from tests.unit.costs.focus.focus_rows import HOUR_US, SEPTEMBER_US, adjustment, covered, usage

LATER: dict[str, Any] = {
    "charge_period_start": SEPTEMBER_US + HOUR_US,
    "charge_period_end": SEPTEMBER_US + 2 * HOUR_US,
}


def test_rows_in_order_are_accepted() -> None:
    check = FileCheck()
    for row in (
        usage(resource_id="node/a"),
        usage(resource_id="node/b", charge_description="one"),
        usage(resource_id="node/b", charge_description="two"),
        usage(resource_id="node/b", charge_description="two", x_tenant="shop"),
        adjustment(),
        usage(**LATER),
        covered(**LATER, resource_id="node/z"),
    ):
        check(row)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (usage(**LATER), usage()),
        (usage(resource_id="node/b"), usage(resource_id="node/a")),
        (usage(charge_description="two"), usage(charge_description="one")),
        (adjustment(), usage()),
    ],
)
def test_rows_out_of_order_are_refused(first: Any, second: Any) -> None:
    check = FileCheck()
    check(first)
    with pytest.raises(FocusError, match="accepted: rows in order"):
        check(second)


def test_the_same_row_twice_is_refused_also_with_another_between() -> None:
    check = FileCheck()
    check(usage())
    check(usage(x_tenant="shop"))
    with pytest.raises(FocusError, match="two rows are the same"):
        check(usage())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"service_subcategory": "Containers"}, "service_name"),
        ({"sku_id": "sku-other", "sku_meter": "Instance Hours"}, "sku_price_id"),
        ({"sku_meter": "Other Hours", "sku_price_id": "sku-new"}, "sku_id"),
    ],
)
def test_a_name_is_used_one_way_in_all_of_a_file(changes: dict[str, Any], name: str) -> None:
    check = FileCheck()
    check(usage())
    with pytest.raises(FocusError, match=f"{name} .* accepted: the same on every row"):
        check(usage(**LATER, **changes))


def test_a_commitment_is_counted_in_one_unit() -> None:
    check = FileCheck()
    check(covered())
    other = covered(**LATER, commitment_discount_unit="GB", billed_cost=Decimal(0))
    with pytest.raises(FocusError, match="commitment_discount_id"):
        check(other)
