"""The rows that bring the charges of an invoice to whole cents, and to what it says."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from costs.focus import Row
from costs.focus.provider import Provider, Service
from costs.month import start_us
from reports.finance.charge import Charge, Component, Invoice, amounts, common
from store import Period

CENT = Decimal("0.01")
ROUNDING = Service("Invoice rounding", "Other", "Other (Other)")
DIFFERENCE = Service("Invoice difference", "Other", "Other (Other)")


def to_cents(amount: Decimal) -> Decimal:
    """Return `amount` in whole cents, rounded half to even."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def adjustment_charges(
    billed: Mapping[Invoice, Decimal],
    bill: Decimal | None,
    period: Period,
    providers: Mapping[str, Provider],
    invoice_id: str | None,
) -> list[Charge]:
    """Return what is missing of each invoice to whole cents, and to the total of the `bill`.

    A `bill` belongs to the only invoice of `billed`.
    """
    found = []
    for invoice, amount in sorted(billed.items()):
        provider = providers[invoice.cloud]
        cents = to_cents(amount)
        if cents != amount:
            found.append(
                _row(
                    invoice, provider, ROUNDING, "Rounding to invoice total", cents - amount,
                    period, invoice_id,
                )
            )  # fmt: skip
        if bill is not None and bill != cents:
            found.append(
                _row(
                    invoice, provider, DIFFERENCE, "Difference to the provider's invoice",
                    bill - cents, period, invoice_id,
                )
            )  # fmt: skip
    return found


def _row(
    invoice: Invoice,
    provider: Provider,
    service: Service,
    words: str,
    amount: Decimal,
    period: Period,
    invoice_id: str | None,
) -> Charge:
    begin = max(period.from_us, start_us(invoice.month.first_day))
    end = min(period.to_us, start_us(invoice.month.end_day))
    fields: dict[str, Any] = {
        **common(provider, service, begin, end, invoice_id),
        **amounts(list_cost=amount, contracted=amount, effective=amount, billed=amount),
        "charge_category": "Adjustment",
        "charge_description": f"{words}, {provider.name}",
        "charge_frequency": "One-Time",
    }
    return Charge(Component.ADJUSTMENT, Row(**fields))
