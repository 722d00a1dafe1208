"""Charges on their way into a file: rows with the part of the bill they belong to, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from costs.focus import Row, ascii_name
from costs.focus.provider import Provider, Service
from costs.focus.regions import REGION_NAMES
from costs.month import Month, start_us

CURRENCY = "USD"
ZERO = Decimal(0)
PICO_PER_USD = 10**12


class Component(StrEnum):
    """The part of the bill that a row belongs to."""

    USED = "machine time used"
    IDLE = "machine time idle"
    NETWORK = "network"
    STORAGE = "storage"
    CACHE = "cache services"
    PURCHASE = "commitments bought"
    UNUSED = "commitments unused"
    ADJUSTMENT = "adjustments"


class Charge(NamedTuple):
    """A row and its component."""

    component: Component
    row: Row


Charges = Iterator[Charge]


@dataclass(frozen=True, order=True)
class Invoice:
    """What one provider bills for one month."""

    cloud: str
    month: Month

    @classmethod
    def at(cls, cloud: str, instant_us: int) -> "Invoice":
        """Return the invoice that a charge at an instant belongs to."""
        return cls(cloud, Month.at(instant_us))


def micro(amount: int) -> Decimal:
    """Return millionths as a decimal: quantities and prices."""
    return Decimal(amount).scaleb(-6)


def pico(amount: int) -> Decimal:
    """Return 10^-12ths as a decimal: a price times a quantity, and what is amortised."""
    return Decimal(amount).scaleb(-12)


def common(
    provider: Provider,
    service: Service,
    begin_us: int,
    end_us: int,
    invoice_id: str | None = None,
) -> dict[str, Any]:
    """Return the fields that every row of a provider has, for a charge period.

    The billing period is the calendar month, in UTC, that the charge begins in.
    """
    month = Month.at(begin_us)
    subs: dict[str, Any] = {}
    if provider.sub_account_id is not None:
        subs = {
            "sub_account_id": provider.sub_account_id,
            "sub_account_name": provider.sub_account_name,
            "sub_account_type": "Sub Account",
        }
    return {
        "billing_account_id": provider.account_id,
        "billing_account_name": provider.account_name,
        "billing_account_type": "Billing Account",
        "billing_currency": CURRENCY,
        "billing_period_start": start_us(month.first_day),
        "billing_period_end": start_us(month.end_day),
        "charge_period_start": begin_us,
        "charge_period_end": end_us,
        # Until the provider's own is known, one that says what it is for.
        "invoice_id": invoice_id or f"INV-{provider.account_id}-{month}",
        "invoice_issuer_name": provider.name,
        "pricing_currency": CURRENCY,
        "provider_name": provider.name,
        "publisher_name": provider.name,
        "service_category": service.category,
        "service_name": service.name,
        "service_subcategory": service.subcategory,
        **subs,
    }


def place(cloud: str, region: str) -> dict[str, Any]:
    """Return the fields that say where."""
    called = ascii_name(region, "region")
    return {"region_id": called, "region_name": REGION_NAMES.get((cloud, region), called)}


def amounts(
    *, list_cost: Decimal, contracted: Decimal, effective: Decimal, billed: Decimal
) -> dict[str, Any]:
    """Return the cost fields of a row."""
    return {
        "list_cost": list_cost,
        "contracted_cost": contracted,
        "effective_cost": effective,
        "pricing_currency_effective_cost": effective,
        "billed_cost": billed,
    }


def unit_prices(list_price: Decimal, contracted: Decimal) -> dict[str, Any]:
    """Return the price fields of a row."""
    return {
        "list_unit_price": list_price,
        "contracted_unit_price": contracted,
        "pricing_currency_list_unit_price": list_price,
        "pricing_currency_contracted_unit_price": contracted,
    }
