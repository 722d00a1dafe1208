"""Every rule that a row must satisfy, broken one at a time."""

from decimal import Decimal
from typing import Any

import pytest

from costs.focus import FocusError, RowCheck
from tests.unit.costs.focus.focus_rows import HOUR_US, SEPTEMBER_US, adjustment, covered, usage


def test_rows_that_satisfy_every_rule_are_accepted_again_and_again() -> None:
    check = RowCheck(most_known=3)
    for _ in range(3):
        for row in (usage(), covered(), adjustment()):
            check(row)


def purchase(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "charge_category": "Purchase",
        "charge_frequency": "Recurring",
        "billed_cost": Decimal("0.0765"),
        "effective_cost": Decimal(0),
        "pricing_currency_effective_cost": Decimal(0),
        "commitment_discount_status": None,
        "pricing_category": "Standard",
        "consumed_quantity": None,
        "consumed_unit": None,
        "x_is_idle": None,
    }
    return covered(**{**fields, **changes})


def unused(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "commitment_discount_status": "Unused",
        "consumed_quantity": None,
        "consumed_unit": None,
    }
    return covered(**{**fields, **changes})


def tax(**changes: Any) -> Any:
    fields: dict[str, Any] = {"charge_category": "Tax", "service_name": "Tax"}
    return adjustment(**{**fields, **changes})


def test_purchases_unused_commitments_and_taxes_have_rules_of_their_own() -> None:
    check = RowCheck()
    for row in (purchase(), unused(), tax()):
        check(row)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        # The product of price and quantity, exactly.
        (usage(list_cost=Decimal("0.0850000001")), "ListCost is 0.0850000001"),
        (usage(contracted_cost=Decimal("0.08")), "ContractedCost is 0.08"),
        # What usage must have.
        (usage(list_unit_price=None), "list_unit_price"),
        (usage(sku_id=None, sku_price_id=None, sku_meter=None), "sku_id"),
        (usage(consumed_quantity=None, consumed_unit=None), "ConsumedQuantity"),
        (usage(pricing_category=None), "pricing_category"),
        # What other rows must not have.
        (adjustment(consumed_quantity=Decimal(1), consumed_unit="Hours"), "ConsumedQuantity"),
        (unused(consumed_quantity=Decimal(1), consumed_unit="Hours"), "ConsumedQuantity"),
        (tax(pricing_category="Standard"), "Tax row with pricing_category"),
        (tax(sku_id="sku-1", sku_price_id="sku-1", sku_meter="x"), "Tax row with sku_id"),
        (purchase(charge_frequency="Usage-Based"), "ChargeFrequency"),
        # Allowed values, and subcategories under their own parent.
        (usage(charge_category="usage"), "ChargeCategory is 'usage'"),
        (usage(pricing_category="Spot"), "PricingCategory is 'Spot'"),
        (usage(charge_frequency="Hourly"), "ChargeFrequency is 'Hourly'"),
        (usage(service_subcategory="Caching"), "ServiceSubcategory 'Caching'"),
        (usage(x_outcome="OK"), "x_Outcome is 'OK'"),
        # Instants: whole seconds, an end after the begin, and exclusive.
        (usage(charge_period_start=SEPTEMBER_US + 1), "no whole second"),
        (usage(charge_period_end=SEPTEMBER_US), "not after its begin"),
        (usage(billing_period_end=SEPTEMBER_US - HOUR_US), "not after its begin"),
        # Tags: a flat object.
        (usage(tags='{"a":{"b":1}}'), "flat JSON object"),
        (usage(tags='["a"]'), "flat JSON object"),
        (usage(tags="{"), "flat JSON object"),
        (usage(tags='{"a":"\u00fc"}'), "in ASCII"),
        (usage(sku_price_details='{"Cores":8}'), "SkuPriceDetails has 'Cores'"),
        # Texts: ASCII, no placeholders, no padding, nothing that looks like a number.
        (usage(region_name="Z\u00fcrich"), "accepted: ASCII"),
        (usage(billing_account_id="123456789012"), "no number"),
        (usage(invoice_id="202609"), "no number"),
        (usage(invoice_id=""), "no placeholder"),
        (usage(resource_name="null"), "no placeholder"),
        (usage(charge_description=" padded"), "no space around it"),
        (usage(x_tenant=" shop"), "without space around it"),
        # Units.
        (usage(pricing_unit="GPU-hours"), "GPU-hours"),
        (usage(consumed_unit="1K tokens"), "1K tokens"),
        (usage(pricing_unit="GB-Mo"), "GB-Mo"),
        (usage(pricing_unit="%"), "%"),
        (usage(pricing_unit=None), "pricing_quantity and pricing_unit"),
        (usage(billing_currency="usd"), "three letters"),
        # Amounts.
        (usage(billed_cost=Decimal("1E-13")), "at most 12 decimals"),
        (usage(billed_cost=Decimal("NaN")), "at most 12 decimals"),
        (usage(billed_cost=Decimal("Infinity")), "at most 12 decimals"),
        (usage(billed_cost=0.0765), "BilledCost is 0.0765"),
        (usage(x_request_count=-1), "zero or more"),
        (usage(pricing_currency_effective_cost=Decimal(0)), "PricingCurrency"),
        # Fields that come together.
        (usage(region_name=None), "region_id and region_name"),
        (usage(resource_id=None, resource_type=None), "ResourceName without ResourceId"),
        (usage(sub_account_id="sub-1"), "sub_account_id"),
        (usage(commitment_discount_id="ri-1"), "commitment_discount_id"),
        # Who issues the invoice is who is paid.
        (usage(invoice_issuer_name="Reseller"), "InvoiceIssuerName"),
        # Commitments.
        (covered(billed_cost=Decimal("0.05")), "BilledCost of a Usage row of a commitment"),
        (
            purchase(
                effective_cost=Decimal(1), pricing_currency_effective_cost=Decimal(1)
            ),
            "EffectiveCost of a Purchase row",
        ),
        (covered(commitment_discount_status=None), "CommitmentDiscountStatus is None"),
        (covered(pricing_category="Standard"), "PricingCategory is 'Standard'"),
        (usage(pricing_category="Committed"), "PricingCategory is 'Committed'"),
        (usage(commitment_discount_name="ri-1"), "CommitmentDiscountName"),
        # Idle time is usage of the same resource, and named.
        (usage(x_is_idle=True), "x_IsIdle is True"),
        (usage(tags='{"app":"__idle__"}'), "x_IsIdle is False"),
        (adjustment(x_is_idle=True), "x_IsIdle is True"),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_rule_is_refused_with_the_reason(row: Any, complaint: str) -> None:
    check = RowCheck()
    check(usage())
    with pytest.raises(FocusError) as refused:
        check(row)
    assert complaint in str(refused.value)


def test_a_null_that_a_column_does_not_allow_is_refused() -> None:
    for name in ("billed_cost", "invoice_id", "charge_description", "service_name"):
        with pytest.raises(FocusError):
            RowCheck()(usage(**{name: None}))
