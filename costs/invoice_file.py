"""The file of a provider's bill: FOCUS, or an AWS Cost and Usage Report, legacy or 2.0, as CSV.

Names of columns are those of the FOCUS specification and of AWS's data dictionary.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from costs.invoice import EXACT, MOST_PLACES, MOST_USD, Bill, Cell, InvoiceError

OTHER = "other"


def read_bill(lines: Iterable[str], name: str, from_day: str, to_day: str) -> Bill:
    """Return what the CSV in `lines` charges for `from_day` up to, not including, `to_day`.

    Days are like 2026-11-01. A line belongs to the calendar month that it is billed for, if that
    is asked for as a whole: a refund in it may be of an earlier month. Of a part of a month, and
    where the file does not say what it bills for, it belongs to the day that its charge begins on.
    `name` is the file's name. Raises InvoiceError.
    """
    reader = csv.reader(_without_mark(lines), strict=True)
    try:
        header = next(reader, [])
        kind = _kind(header, name)
        cells: dict[Cell, Decimal] = {}
        total, count, left_out = Decimal(0), 0, 0
        for fields in filter(None, reader):
            where = f"{name} line {reader.line_num}"
            if len(fields) != len(header):
                raise InvoiceError(
                    f"{where}: {len(fields)} fields; accepted: {len(header)}, as in the header"
                )
            row = dict(zip(header, fields, strict=True))
            cell, amount = kind.read(row, where)
            month = row.get(kind.period)
            billed = _day(month, where, kind.period) if month else None
            if not _is_asked(cell.day or "", billed, from_day, to_day):
                left_out += 1
                continue
            total, count = EXACT.add(total, amount), count + 1
            cells[cell] = EXACT.add(cells.get(cell, Decimal(0)), amount)
    except csv.Error as error:
        raise InvoiceError(f"{name} line {reader.line_num}: {error}") from error
    if not count:
        raise InvoiceError(f"{name}: no charge from {from_day} to {to_day} is in it")
    return Bill(total, count, left_out, cells)


def _is_asked(day: str, billed: str | None, from_day: str, to_day: str) -> bool:
    """Return whether a charge of `day`, in the bill of the month that begins on `billed`, counts.

    A bill that does not begin with a month is not of a calendar month: it says nothing here.
    """
    on_time = from_day <= day < to_day
    if billed is None or not billed.endswith("-01"):
        return on_time
    whole = from_day <= billed and _month_after(billed) <= to_day
    return whole or (on_time and billed[:7] == day[:7])


@lru_cache
def _month_after(first_day: str) -> str:
    return (date.fromisoformat(first_day) + timedelta(31)).replace(day=1).isoformat()


@lru_cache(maxsize=4_096)
def instance_type(price_details: str | None) -> str | None:
    """Return the type of machine that FOCUS's SkuPriceDetails name, None where they do not."""
    try:
        found = json.loads(price_details or "null")
    except ValueError:
        return None
    value = found.get("InstanceType") if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class _Kind:
    """A format: the columns it is known by, how a line is read, and which column has its period.

    The period is that of the bill, not of the charge.
    """

    needed: tuple[str, ...]
    read: Callable[[Mapping[str, str], str], tuple[Cell, Decimal]]
    period: str


def _focus(row: Mapping[str, str], where: str) -> tuple[Cell, Decimal]:
    _require_usd(row["BillingCurrency"], where, "BillingCurrency")
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

    def read(row: Mapping[str, str], where: str) -> tuple[Cell, Decimal]:
        # A report need not have the column.
        if row.get(currency):
            _require_usd(row[currency], where, currency)
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

    return _Kind((cost, begin), read, prefix("bill", "BillingPeriodStartDate"))


def _legacy(group: str, column: str) -> str:
    return f"{group}/{column}"


def _snake(group: str, column: str) -> str:
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in f"{group}/{column}")
    return words.replace("/_", "_").replace("/", "_")


_KINDS = (
    _Kind(
        ("BilledCost", "BillingCurrency", "ChargePeriodStart", "ServiceName"),
        _focus,
        "BillingPeriodStart",
    ),
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


def _require_usd(currency: str, where: str, column: str) -> None:
    if currency != "USD":
        raise InvoiceError(f"{where}: {column} is {currency!r}; accepted: USD")


def _amount(text: str | None, where: str, column: str) -> Decimal:
    # A line that costs nothing may leave the field empty.
    try:
        amount = Decimal(text or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MOST_PLACES or abs(amount) >= MOST_USD:
        raise InvoiceError(
            f"{where}: {column} is {text!r}; accepted: USD, less than {MOST_USD}, with at most "
            f"{MOST_PLACES} decimals"
        )
    return amount


def _day(text: str | None, where: str, column: str) -> str:
    try:
        # BigQuery writes the zone of its instants as a word.
        instant = datetime.fromisoformat((text or "").strip().removesuffix(" UTC"))
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
