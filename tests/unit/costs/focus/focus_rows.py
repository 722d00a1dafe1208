"""Rows that satisfy every rule, to break one at a time."""

from decimal import Decimal
from typing import Any

from costs.focus import Row

# 2026-09-01, 2026-10-01, and an hour of the first.
SEPTEMBER_US, OCTOBER_US = 1_788_220_800_000_000, 1_790_812_800_000_000
HOUR_US = 3_600_000_000

COMMON: dict[str, Any] = {
    "billing_account_id": "acct-4711",
    "billing_account_name": "Inference",
    "billing_account_type": "Billing Account",
    "billing_currency": "USD",
    "billing_period_end": OCTOBER_US,
    "billing_period_start": SEPTEMBER_US,
    "charge_period_start": SEPTEMBER_US,
    "charge_period_end": SEPTEMBER_US + HOUR_US,
    "invoice_id": "INV-4711-2026-09",
    "invoice_issuer_name": "Example Cloud",
    "pricing_currency": "USD",
    "provider_name": "Example Cloud",
    "publisher_name": "Example Cloud",
}


def usage(**changes: Any) -> Row:
    """Return a quarter of an hour of a machine at 0.306 USD, listed at 0.34."""
    quantity, cost = Decimal("0.25"), Decimal("0.0765")
    fields: dict[str, Any] = {
        **COMMON,
        "billed_cost": cost,
        "charge_category": "Usage",
        "charge_description": "node-1: digits, share of the machine's hours",
        "charge_frequency": "Usage-Based",
        "consumed_quantity": quantity,
        "consumed_unit": "Hours",
        "contracted_cost": cost,
        "contracted_unit_price": Decimal("0.306"),
        "effective_cost": cost,
        "list_cost": Decimal("0.085"),
        "list_unit_price": Decimal("0.34"),
        "pricing_category": "Standard",
        "pricing_currency_contracted_unit_price": Decimal("0.306"),
        "pricing_currency_effective_cost": cost,
        "pricing_currency_list_unit_price": Decimal("0.34"),
        "pricing_quantity": quantity,
        "pricing_unit": "Hours",
        "region_id": "eu-central-1",
        "region_name": "Frankfurt",
        "resource_id": "node/node-1",
        "resource_name": "node-1",
        "resource_type": "cpu.8c",
        "service_category": "Compute",
        "service_name": "Example Compute",
        "service_subcategory": "Virtual Machines",
        "sku_id": "sku-cpu-8c",
        "sku_meter": "Instance Hours",
        "sku_price_id": "sku-cpu-8c-usd",
        "tags": '{"app":"digits"}',
        "x_is_idle": False,
        "x_model_name": "digits",
        "x_request_count": 40_000,
    }
    return Row(**{**fields, **changes})


def covered(**changes: Any) -> Row:
    """Return the same, covered by a commitment at 0.2 USD."""
    cost = Decimal("0.05")
    fields: dict[str, Any] = {
        "billed_cost": Decimal(0),
        "commitment_discount_category": "Usage",
        "commitment_discount_id": "ri-1",
        "commitment_discount_name": "ri-1",
        "commitment_discount_quantity": Decimal("0.25"),
        "commitment_discount_status": "Used",
        "commitment_discount_type": "Reserved Instance",
        "commitment_discount_unit": "Hours",
        "effective_cost": cost,
        "pricing_category": "Committed",
        "pricing_currency_effective_cost": cost,
    }
    return usage(**{**fields, **changes})


def adjustment(**changes: Any) -> Row:
    """Return the row that brings a file to whole cents."""
    amount = Decimal("0.003315")
    fields: dict[str, Any] = {
        **COMMON,
        "billed_cost": amount,
        "charge_category": "Adjustment",
        "charge_description": "Rounding to invoice total",
        "charge_frequency": "One-Time",
        "charge_period_end": OCTOBER_US,
        "contracted_cost": amount,
        "effective_cost": amount,
        "list_cost": amount,
        "pricing_currency_effective_cost": amount,
        "service_category": "Other",
        "service_name": "Invoice rounding",
        "service_subcategory": "Other (Other)",
    }
    return Row(**{**fields, **changes})
