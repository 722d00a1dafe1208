"""What a row must satisfy, beyond what the public validator looks at."""

from collections.abc import Callable, Iterable
from decimal import Context
from operator import attrgetter
from typing import Any

from costs.focus.columns import COLUMNS, FOCUS_COLUMNS, OWN_COLUMNS, Column, Kind
from costs.focus.errors import FocusError
from costs.focus.row import Row
from costs.focus.shape_rules import broken_shape, shape_of
from costs.focus.value_rules import (
    require_decimals,
    require_json,
    require_own_text,
    require_text,
)

# Exact whatever the size: the product of a price and a quantity is never rounded.
_EXACT = Context(prec=80)
# Of those with allowed values the shape of a row has the value.
_TEXTS = tuple(c for c in FOCUS_COLUMNS if c.kind is Kind.TEXT and not c.allowed)
_OWN_TEXTS = tuple(c for c in OWN_COLUMNS if c.kind is Kind.TEXT and not c.allowed)
_JSONS = tuple(c for c in COLUMNS if c.kind is Kind.JSON)
_texts_of = attrgetter(*(c.field for c in _TEXTS))
_own_texts_of = attrgetter(*(c.field for c in _OWN_TEXTS))
_prices_of = attrgetter(
    "list_unit_price",
    "contracted_unit_price",
    "pricing_currency_list_unit_price",
    "pricing_currency_contracted_unit_price",
)


class RowCheck:
    """Checks rows one by one; what was good once is not looked at again.

    It forgets what it knows rather than grow with the number of different names.
    """

    def __init__(self, most_known: int = 200_000) -> None:
        self._texts: set[str | None] = {None}
        self._own_texts: set[str | None] = {None}
        self._jsons: list[set[str | None]] = [{None} for _ in _JSONS]
        self._shapes: set[tuple[object, ...]] = set()
        self._most_known = most_known

    def __call__(self, row: Row) -> None:
        """Raise FocusError when `row` breaks a rule."""
        if not self._texts.issuperset(_texts_of(row)):
            self._learn(self._texts, row, _TEXTS, require_text)
        if not self._own_texts.issuperset(_own_texts_of(row)):
            self._learn(self._own_texts, row, _OWN_TEXTS, require_own_text)
        for column, known in zip(_JSONS, self._jsons, strict=True):
            if getattr(row, column.field) not in known:
                self._learn(known, row, (column,), require_json)
        shape = shape_of(row)
        if shape not in self._shapes:
            for broken in broken_shape(row):
                raise FocusError(broken)
            self._room(self._shapes)
            self._shapes.add(shape)
        require_decimals(row)
        _require_costs(row)

    def _learn(
        self,
        known: set[str | None],
        row: Row,
        columns: Iterable[Column],
        require: Callable[[Column, str], None],
    ) -> None:
        for column in columns:
            value = getattr(row, column.field)
            if value not in known:
                require(column, value)
                self._room(known)
                known |= {value, None}

    def _room(self, known: set[Any]) -> None:
        if len(known) >= self._most_known:
            known.clear()


def _require_costs(row: Row) -> None:
    """Check what differs from row to row: amounts, and that they are the exact products."""
    quantity = row.pricing_quantity
    if quantity is not None and row.charge_class is None:
        for name, price, cost in (
            ("List", row.list_unit_price, row.list_cost),
            ("Contracted", row.contracted_unit_price, row.contracted_cost),
        ):
            if price is not None and _EXACT.multiply(price, quantity) != cost:
                raise FocusError(
                    f"{name}Cost is {cost}; accepted: {name}UnitPrice x PricingQuantity, "
                    f"{price} x {quantity}, exactly"
                )
    for price in _prices_of(row):
        if price is not None and price < 0:
            raise FocusError(f"a unit price is {price}; accepted: zero or more")
    for count in (row.x_request_count, row.x_input_tokens, row.x_output_tokens):
        if count is not None and count < 0:
            raise FocusError(f"a count of requests or tokens is {count}; accepted: zero or more")
    if row.commitment_discount_id is not None:
        _committed_costs(row)
    if row.pricing_currency == row.billing_currency and (
        row.pricing_currency_effective_cost != row.effective_cost
        or row.pricing_currency_list_unit_price != row.list_unit_price
        or row.pricing_currency_contracted_unit_price != row.contracted_unit_price
    ):
        raise FocusError("an amount in PricingCurrency differs from that in the same currency")
    if row.invoice_issuer_name != row.provider_name and row.billed_cost:
        raise FocusError(
            f"BilledCost is {row.billed_cost} where InvoiceIssuerName is not ProviderName; "
            "accepted: 0"
        )


def _committed_costs(row: Row) -> None:
    zero, name = (
        (row.effective_cost, "EffectiveCost")
        if row.charge_category == "Purchase"
        else (row.billed_cost, "BilledCost")
    )
    if zero:
        raise FocusError(
            f"{name} of a {row.charge_category} row of a commitment is {zero}; accepted: 0"
        )
    if row.commitment_discount_quantity is not None and row.commitment_discount_quantity < 0:
        raise FocusError(
            f"CommitmentDiscountQuantity is {row.commitment_discount_quantity}; accepted: 0 or more"
        )
