"""What a single value must satisfy: texts, JSON, decimals.

Source: FOCUS 1.2 (StringHandling, KeyValueFormat, NumericFormat).
"""

import json
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import attrgetter

from costs.focus.columns import COLUMNS, SCALE, Column, Kind
from costs.focus.errors import FocusError
from costs.focus.row import Row
from costs.focus.text import is_plain

_AT_SCALE = Context(prec=80, traps=[Inexact, InvalidOperation])
_LEAST = Decimal(1).scaleb(-SCALE)
_DECIMALS = tuple(c for c in COLUMNS if c.kind is Kind.DECIMAL)
_decimals_of = attrgetter(*(c.field for c in _DECIMALS))
# The properties that FOCUS itself defines.
_PRICE_DETAILS = frozenset(
    ("CoreCount", "DiskMaxIops", "DiskSpace", "DiskType", "GpuCount", "InstanceSeries",
     "InstanceType", "MemorySize", "NetworkMaxIops", "NetworkMaxThroughput", "OperatingSystem",
     "Redundancy", "StorageClass")
)  # fmt: skip


def require_text(column: Column, value: str) -> None:
    """Raise FocusError unless `value` may stand in a column of FOCUS."""
    if not isinstance(value, str):
        raise FocusError(f"{column.name} is {value!r}; accepted: text")
    if not value.isascii():
        raise FocusError(f"{column.name} is {value!r}; accepted: ASCII")
    if not is_plain(value):
        raise FocusError(
            f"{column.name} is {value!r}; accepted: text that is no number, no placeholder, and "
            "has no space around it"
        )


def require_own_text(column: Column, value: str) -> None:
    """Raise FocusError unless `value` may stand in a column of ours."""
    if not isinstance(value, str) or not value or value != value.strip():
        raise FocusError(f"{column.name} is {value!r}; accepted: text without space around it")


def require_json(column: Column, value: str) -> None:
    """Raise FocusError unless `value` is a flat object, with keys that the column has."""
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


def require_decimals(row: Row) -> None:
    """Raise FocusError unless every decimal is finite and has few enough decimals."""
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
