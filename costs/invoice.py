"""A provider's bill beside our own charges: its total, and where the two differ.

A bill is a number, a FOCUS file, or an AWS Cost and Usage Report as CSV, legacy or 2.0. Names of
columns are those of the FOCUS specification and of AWS's data dictionary.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
# Bills sum to their total however many lines they have: nothing is rounded on the way.
OTHER = "other"


class InvoiceError(ValueError):
    """A bill that cannot be read; the message names file, line, field and what is accepted."""


class Cell(NamedTuple):
    """What an amount is known to be for. None where a side does not say."""

    service: str
    region: str | None
    instance_type: str | None
    day: str | None


@dataclass(frozen=True)
class Bill:
    """Amounts in USD by what they are for; `total` is all of them, `lines` how many there were."""

    total: Decimal
    lines: int = 0
    cells: Mapping[Cell, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One value of one dimension: what we charge for it, and what the bill says."""

    dimension: str
    value: str
    ours: Decimal
    theirs: Decimal

    @property
    def usd(self) -> Decimal:
        """What the bill has more; negative where it has less."""
        return self.theirs - self.ours


def parse_total(text: str) -> Decimal | None:
    """Return the amount that `text` is, None where it is no number.

    Raises InvoiceError for an amount that is no whole number of cents.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != round(amount, 2):
        raise InvoiceError(
            f"the invoice total is {text!r}; accepted: USD with at most two decimals, such as "
            "1234.56, or the name of a file"
        )
    return round(amount, 2)


def read_bill(lines: Iterable[str], name: str, from_day: str, to_day: str) -> Bill:
    """Return what the CSV in `lines` charges for `from_day` up to, not including, `to_day`.

    Days are like 2026-11-01; a line belongs to the day that its charge begins on. `name` is the
    file's name. Raises InvoiceError.
    """
    reader = csv.DictReader(_without_mark(lines), strict=True)
    try:
        kind = _kind(reader.fieldnames or (), name)
        cells: dict[Cell, Decimal] = {}
        total, count = Decimal(0), 0
        for row in reader:
            cell, amount = kind.read(row, f"{name} line {reader.line_num}")
            if cell.day is None or not from_day <= cell.day < to_day:
                continue
            total, count = _EXACT.add(total, amount), count + 1
            cells[cell] = _EXACT.add(cells.get(cell, Decimal(0)), amount)
    except csv.Error as error:
        raise InvoiceError(f"{name} line {reader.line_num}: {error}") from error
    if not count:
        raise InvoiceError(f"{name}: no charge from {from_day} to {to_day} is in it")
    return Bill(total, count, cells)


@lru_cache(maxsize=4_096)
def instance_type(price_details: str | None) -> str | None:
    """Return the type of machine that FOCUS's SkuPriceDetails name, None where they do not."""
    try:
        found = json.loads(price_details or "null")
    except ValueError:
        return None
    value = found.get("InstanceType") if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def differences(ours: Mapping[Cell, Decimal], theirs: Mapping[Cell, Decimal]) -> list[Difference]:
    """Return, dimension by dimension, what differs, the largest difference first.

    The differences of services sum to that of the totals. Of the other dimensions only what both
    sides name is compared: of regions, types and days of the services that both have.
    """
    shared = {cell.service for cell in ours} & {cell.service for cell in theirs}
    found = _by("service", ours, theirs, lambda cell: cell.service)
    near, far = (
        {cell: amount for cell, amount in side.items() if cell.service in shared}
        for side in (ours, theirs)
    )
    found += _by("region", near, far, lambda cell: cell.region)
    found += _by("instance type", near, far, lambda cell: cell.instance_type)
    found += _by("day", near, far, lambda cell: cell.day)
    return found


def _by(
    dimension: str,
    ours: Mapping[Cell, Decimal],
    theirs: Mapping[Cell, Decimal],
    key: Callable[[Cell], str | None],
) -> list[Difference]:
    sums: dict[str, list[Decimal]] = {}
    for side, cells in enumerate((ours, theirs)):
        for cell, amount in cells.items():
            value = key(cell)
            if value is not None:
                both = sums.setdefault(value, [Decimal(0), Decimal(0)])
                both[side] = _EXACT.add(both[side], amount)
    found = [
        Difference(dimension, value, near, far)
        for value, (near, far) in sums.items()
        if near != far
    ]
    return sorted(found, key=lambda d: (-abs(d.usd), d.value))


@dataclass(frozen=True)
class _Kind:
    """A format: the columns it is known by, and how a line of it is read."""

    needed: tuple[str, ...]
    read: Callable[[Mapping[str, str | None], str], tuple[Cell, Decimal]]


def _focus(row: Mapping[str, str | None], where: str) -> tuple[Cell, Decimal]:
    _require_usd(row.get("BillingCurrency"), where, "BillingCurrency")
    cell = Cell(
        row.get("ServiceName") or OTHER,
        row.get("RegionId") or None,
        instance_type(row.get("SkuPriceDetails")),
        _day(row.get("ChargePeriodStart"), where, "ChargePeriodStart"),
    )
    return cell, _amount(row.get("BilledCost"), where, "BilledCost")


def _report(prefix: Callable[[str, str], str]) -> _Kind:
    """Return an AWS report, legacy or 2.0, whose columns `prefix` names."""
    cost, begin = prefix("lineItem", "UnblendedCost"), prefix("lineItem", "UsageStartDate")
    currency = prefix("lineItem", "CurrencyCode")
    regions = [prefix("product", name) for name in ("regionCode", "region")]

    def read(row: Mapping[str, str | None], where: str) -> tuple[Cell, Decimal]:
        _require_usd(row.get(currency), where, currency)
        cell = Cell(
            _aws_service(
                row.get(prefix("lineItem", "ProductCode")) or "",
                row.get(prefix("lineItem", "UsageType")) or "",
                row.get(prefix("lineItem", "LineItemType")) or "",
            ),
            next((row[name] for name in regions if row.get(name)), None),
            row.get(prefix("product", "instanceType")) or None,
            _day(row.get(begin), where, begin),
        )
        return cell, _amount(row.get(cost), where, cost)

    return _Kind((cost, begin), read)


def _legacy(group: str, column: str) -> str:
    return f"{group}/{column}"


def _snake(group: str, column: str) -> str:
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in f"{group}/{column}")
    return words.replace("/_", "_").replace("/", "_")


_KINDS = (
    _Kind(("BilledCost", "ChargePeriodStart", "ServiceName"), _focus),
    _report(_legacy),
    _report(_snake),
)
# Product codes of AWS by the names of its services in FOCUS.
_AWS = {
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonElastiCache": "Amazon ElastiCache",
    "AWSDataTransfer": "AWS Data Transfer",
}


def _aws_service(product: str, usage_type: str, line_type: str) -> str:
    if line_type == "Tax":
        return "Tax"
    # The report files traffic and volumes under the service whose machines had them.
    if "DataTransfer" in usage_type or usage_type.endswith("-Bytes"):
        return "AWS Data Transfer"
    if "EBS:" in usage_type:
        return "Amazon Elastic Block Store"
    return _AWS.get(product, product or OTHER)


def _kind(header: Iterable[str], name: str) -> _Kind:
    columns = set(header)
    for kind in _KINDS:
        if columns.issuperset(kind.needed):
            return kind
    accepted = "; or ".join(", ".join(kind.needed) for kind in _KINDS)
    raise InvoiceError(f"{name}: no bill that is known by its columns; accepted: {accepted}")


def _require_usd(currency: str | None, where: str, column: str) -> None:
    if currency not in (None, "", "USD"):
        raise InvoiceError(f"{where}: {column} is {currency!r}; accepted: USD")


def _amount(text: str | None, where: str, column: str) -> Decimal:
    # A line that costs nothing may leave the field empty.
    try:
        amount = Decimal(text or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise InvoiceError(f"{where}: {column} is {text!r}; accepted: a decimal number")
    return amount


def _day(text: str | None, where: str, column: str) -> str:
    try:
        instant = datetime.fromisoformat((text or "").strip())
        # Without a zone it is UTC, as in every bill.
        utc = instant.astimezone(UTC) if instant.tzinfo else instant
        return utc.date().isoformat()
    except (ValueError, OverflowError):
        raise InvoiceError(
            f"{where}: {column} is {text!r}; accepted: an instant such as 2026-11-01T00:00:00Z"
        ) from None


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line
