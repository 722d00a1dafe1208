"""What a row must satisfy, beyond what the public validator looks at.

Source: FOCUS 1.2 (columns, NumericFormat, StringHandling, KeyValueFormat, UnitFormat).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import attrgetter
from typing import Any

from costs.focus.columns import COLUMNS, FOCUS_COLUMNS, OWN_COLUMNS, SCALE, UNUSED, Column, Kind
from costs.focus.errors import FocusError
from costs.focus.row import Row
from costs.focus.services import is_subcategory
from costs.focus.text import instant_text, is_plain

IDLE_APP = "__idle__"
# Exact whatever the size: the product of a price and a quantity is never rounded.
_EXACT = Context(prec=80)
_AT_SCALE = Context(prec=80, traps=[Inexact, InvalidOperation])
_LEAST = Decimal(1).scaleb(-SCALE)
_UNIT = re.compile(
    r"([1-9][0-9]* )?(GB|GiB|[A-Z][a-z]+s)(-(Hours|Months|Days))?(/(Hour|Day|Month))?"
)
_PRICE_DETAILS = frozenset(
    ("CoreCount", "DiskMaxIops", "DiskSpace", "DiskType", "GpuCount", "InstanceSeries",
     "InstanceType", "MemorySize", "NetworkMaxIops", "NetworkMaxThroughput", "OperatingSystem",
     "Redundancy", "StorageClass")
)  # fmt: skip
_KINDS: dict[Kind, type] = {
    Kind.DECIMAL: Decimal,
    Kind.TEXT: str,
    Kind.INSTANT: int,
    Kind.JSON: str,
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
}
# Of those with allowed values the shape of a row has the value.
_TEXTS = tuple(c for c in FOCUS_COLUMNS if c.kind is Kind.TEXT and not c.allowed)
_OWN_TEXTS = tuple(c for c in OWN_COLUMNS if c.kind is Kind.TEXT and not c.allowed)
_DECIMALS = tuple(c for c in COLUMNS if c.kind is Kind.DECIMAL)
_JSONS = tuple(c for c in COLUMNS if c.kind is Kind.JSON)
_texts_of = attrgetter(*(c.field for c in _TEXTS))
_own_texts_of = attrgetter(*(c.field for c in _OWN_TEXTS))
_decimals_of = attrgetter(*(c.field for c in _DECIMALS))
_prices_of = attrgetter(
    "list_unit_price",
    "contracted_unit_price",
    "pricing_currency_list_unit_price",
    "pricing_currency_contracted_unit_price",
)

# A field and one that is there exactly when it is.
_TOGETHER = (
    ("pricing_quantity", "pricing_unit"),
    ("consumed_quantity", "consumed_unit"),
    ("commitment_discount_quantity", "commitment_discount_unit"),
    ("commitment_discount_id", "commitment_discount_category"),
    ("commitment_discount_id", "commitment_discount_type"),
    ("region_id", "region_name"),
    ("resource_id", "resource_type"),
    ("sub_account_id", "sub_account_name"),
    ("sub_account_id", "sub_account_type"),
    ("sku_id", "sku_price_id"),
    ("sku_id", "sku_meter"),
)
_PRICED = (
    "pricing_quantity",
    "list_unit_price",
    "contracted_unit_price",
    "pricing_currency_list_unit_price",
    "pricing_currency_contracted_unit_price",
    "sku_id",
    "sku_price_id",
    "pricing_category",
)


class RowCheck:
    """Checks rows one by one; what was good once is not looked at again.

    It forgets what it knows rather than grow with the number of different names.
    """

    def __init__(self, most_known: int = 200_000) -> None:
        self._texts: set[str | None] = {None}
        self._own_texts: set[str | None] = {None}
        self._jsons: set[str | None] = {None}
        self._shapes: set[tuple[object, ...]] = set()
        self._most_known = most_known

    def __call__(self, row: Row) -> None:
        """Raise FocusError when `row` breaks a rule."""
        if not self._texts.issuperset(_texts_of(row)):
            self._learn(self._texts, row, _TEXTS, _require_text)
        if not self._own_texts.issuperset(_own_texts_of(row)):
            self._learn(self._own_texts, row, _OWN_TEXTS, _require_own_text)
        if not self._jsons.issuperset((row.tags, row.sku_price_details)):
            self._learn(self._jsons, row, _JSONS, _require_json)
        shape = _shape_of(row)
        if shape not in self._shapes:
            for broken in _broken_shape(row):
                raise FocusError(broken)
            self._room(self._shapes)
            self._shapes.add(shape)
        _require_decimals(row)
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


_NULLABLE = tuple(
    c.field for c in COLUMNS if c.null and not c.allowed and c.field not in ("tags", "x_is_idle")
)
_nullable_of = attrgetter(*_NULLABLE)
_values_of_shape = attrgetter(
    *(c.field for c in COLUMNS if c.allowed),
    "x_is_idle",
    "service_category",
    "service_subcategory",
    "billing_period_start",
    "billing_period_end",
    "charge_period_start",
    "charge_period_end",
    "billing_currency",
    "pricing_currency",
    "pricing_unit",
    "consumed_unit",
    "commitment_discount_unit",
)


def _shape_of(row: Row) -> tuple[object, ...]:
    """Return what `_broken_shape` depends on: few kinds of rows differ in it."""
    there = [value is None for value in _nullable_of(row)]
    return (*_values_of_shape(row), *there, row.tags is not None and IDLE_APP in row.tags)


def _broken_shape(row: Row) -> Iterator[str]:
    """Yield what is wrong with the fields that are there, one sentence each."""
    for column in COLUMNS:
        value = getattr(row, column.field)
        if value is None:
            if not column.null:
                yield f"{column.name} is empty; accepted: a value on every row"
        elif not isinstance(value, _KINDS[column.kind]):
            yield f"{column.name} is {value!r}; accepted: a {column.kind.value}"
        elif column.allowed and value not in column.allowed:
            yield f"{column.name} is {value!r}; accepted: {', '.join(column.allowed)}"
    for one, other in _TOGETHER:
        if (getattr(row, one) is None) != (getattr(row, other) is None):
            yield f"{one} and {other} of a row are not both there; accepted: both or neither"
    for rule in _RULES:
        broken = rule(row)
        if broken:
            yield broken


def _by_category(row: Row) -> str | None:
    category = row.charge_category
    if row.charge_class is None and category in ("Usage", "Purchase"):
        missing = [name for name in _PRICED if getattr(row, name) is None]
        if missing:
            return f"{category} row without {', '.join(missing)}; accepted: a value for each"
    if category == "Tax":
        there = [name for name in _PRICED if getattr(row, name) is not None]
        if there:
            return f"Tax row with {', '.join(there)}; accepted: none of them"
    consumes = category == "Usage" and row.commitment_discount_status != UNUSED
    if (row.consumed_quantity is not None) != consumes:
        return (
            f"ConsumedQuantity of a {category} row is {row.consumed_quantity}; accepted: a value "
            "on usage that is no unused commitment, and there only"
        )
    if category == "Purchase" and row.charge_frequency == "Usage-Based":
        return "ChargeFrequency of a Purchase row is Usage-Based; accepted: One-Time, Recurring"
    return None


def _commitment(row: Row) -> str | None:
    committed = row.commitment_discount_id is not None
    status = row.commitment_discount_status
    if (status is not None) != (committed and row.charge_category == "Usage"):
        return (
            f"CommitmentDiscountStatus is {status!r} on a {row.charge_category} row; accepted: "
            "Used or Unused on usage with a CommitmentDiscountId, and there only"
        )
    if committed != (row.commitment_discount_quantity is not None):
        return "CommitmentDiscountQuantity is not there exactly where CommitmentDiscountId is"
    if not committed and row.commitment_discount_name is not None:
        return "CommitmentDiscountName without CommitmentDiscountId"
    if (row.pricing_category == "Committed") != (status is not None):
        return (
            f"PricingCategory is {row.pricing_category!r}, CommitmentDiscountStatus {status!r}; "
            "accepted: Committed exactly where there is a status"
        )
    return None


def _periods(row: Row) -> str | None:
    for name in ("billing", "charge"):
        begin = getattr(row, f"{name}_period_start")
        end = getattr(row, f"{name}_period_end")
        for instant in (begin, end):
            try:
                instant_text(instant)
            except (ValueError, OverflowError) as error:
                return f"{name} period: {error}"
        if end <= begin:
            return (
                f"{name} period ends at {instant_text(end)}, not after its begin, "
                f"{instant_text(begin)}; accepted: an exclusive end"
            )
    return None


def _services(row: Row) -> str | None:
    if is_subcategory(row.service_subcategory, row.service_category):
        return None
    return (
        f"ServiceSubcategory {row.service_subcategory!r} is none of ServiceCategory "
        f"{row.service_category!r}"
    )


def _units(row: Row) -> str | None:
    for name in ("pricing_unit", "consumed_unit", "commitment_discount_unit"):
        unit = getattr(row, name)
        if unit is not None and not _UNIT.fullmatch(unit):
            return f"{name} is {unit!r}; accepted: a unit such as Hours, GB, GB-Months, 1000 Tokens"
    for name in ("billing_currency", "pricing_currency"):
        if not re.fullmatch("[A-Z]{3}", getattr(row, name)):
            return f"{name} is {getattr(row, name)!r}; accepted: three letters, such as USD"
    return None


def _names(row: Row) -> str | None:
    if row.resource_id is None and row.resource_name is not None:
        return "ResourceName without ResourceId"
    if row.sku_price_id is None and row.sku_price_details is not None:
        return "SkuPriceDetails without SkuPriceId"
    if (row.capacity_reservation_id is None) and row.capacity_reservation_status is not None:
        return "CapacityReservationStatus without CapacityReservationId"
    return None


def _idle(row: Row) -> str | None:
    named = row.tags is not None and json.loads(row.tags).get("app") == IDLE_APP
    if not row.x_is_idle:
        return None
    if row.charge_category != "Usage" or row.resource_id is None or not named:
        return (
            "x_IsIdle is true; accepted: on usage of a ResourceId whose Tags have app="
            f"{IDLE_APP}, and there only"
        )
    return None


_RULES: tuple[Callable[[Row], str | None], ...] = (
    _by_category, _commitment, _periods, _services, _units, _names, _idle,
)  # fmt: skip


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


def _require_text(column: Column, value: str) -> None:
    if not isinstance(value, str):
        raise FocusError(f"{column.name} is {value!r}; accepted: text")
    if not value.isascii():
        raise FocusError(f"{column.name} is {value!r}; accepted: ASCII")
    if not is_plain(value):
        raise FocusError(
            f"{column.name} is {value!r}; accepted: text that is no number, no placeholder, and "
            "has no space around it"
        )


def _require_own_text(column: Column, value: str) -> None:
    if not isinstance(value, str) or not value or value != value.strip():
        raise FocusError(f"{column.name} is {value!r}; accepted: text without space around it")


def _require_json(column: Column, value: str) -> None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    flat = isinstance(found, dict) and not any(isinstance(v, dict | list) for v in found.values())
    if not flat or not value.isascii():
        raise FocusError(f"{column.name} is {value!r}; accepted: a flat JSON object in ASCII")
    if column.name == "SkuPriceDetails":
        for key in found:
            if key not in _PRICE_DETAILS and not key.startswith("x_"):
                raise FocusError(
                    f"SkuPriceDetails has {key!r}; accepted: {', '.join(sorted(_PRICE_DETAILS))}, "
                    "or a name that begins with x_"
                )


def _require_decimals(row: Row) -> None:
    # Most amounts of a row are one object in several columns.
    for value in {id(value): value for value in _decimals_of(row)}.values():
        if value is None:
            continue
        try:
            value.quantize(_LEAST, context=_AT_SCALE)
            fits = value.is_finite()
        except (ArithmeticError, AttributeError):
            fits = False
        if not fits:
            column = next(c for c in _DECIMALS if getattr(row, c.field) is value)
            raise FocusError(
                f"{column.name} is {value!r}; accepted: a decimal of at most {SCALE} decimals"
            )
