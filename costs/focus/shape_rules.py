"""Which fields a row must have, and which values of theirs go together.

A row's shape is what these rules depend on: the fields that are there, and those that name a
category, a period or a unit. Few kinds of rows differ in it.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from operator import attrgetter

from costs.focus.columns import COLUMNS, UNUSED, Kind
from costs.focus.row import Row
from costs.focus.services import is_subcategory
from costs.focus.text import instant_text

IDLE_APP = "__idle__"
_UNIT = re.compile(
    r"([1-9][0-9]* )?(GB|GiB|[A-Z][a-z]+s)(-(Hours|Months|Days))?(/(Hour|Day|Month))?"
)
_KINDS: dict[Kind, type] = {
    Kind.DECIMAL: Decimal,
    Kind.TEXT: str,
    Kind.INSTANT: int,
    Kind.JSON: str,
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
}
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


def shape_of(row: Row) -> tuple[object, ...]:
    """Return what `broken_shape` depends on."""
    there = [value is None for value in _nullable_of(row)]
    return (*_values_of_shape(row), *there, _is_named_idle(row))


def broken_shape(row: Row) -> Iterator[str]:
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
    named = _is_named_idle(row)
    if not row.x_is_idle and not named:
        return None
    if not (row.x_is_idle and named) or row.charge_category != "Usage" or row.resource_id is None:
        return (
            f"x_IsIdle is {row.x_is_idle}; accepted: true on usage of a ResourceId whose Tags have "
            f"app={IDLE_APP}, and there only"
        )
    return None


def _is_named_idle(row: Row) -> bool:
    # Tags are JSON without spaces: within a name the quotes would be escaped.
    return row.tags is not None and f'"app":"{IDLE_APP}"' in row.tags


_RULES: tuple[Callable[[Row], str | None], ...] = (
    _by_category, _commitment, _periods, _services, _units, _names, _idle,
)  # fmt: skip
