"""The price file `data/prices/instances.csv`: one row per machine and validity, both directions.

Columns: cloud, region, instance_type, purchase_option, usd_per_hour, valid_from, as_of, source.
`valid_from` is a date (00:00 UTC) or empty for "no known beginning"; `as_of` says when the source
showed the figure. Lines that begin with `#` are comments.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from costs.money import MICRO_USD_PER_USD
from costs.price import Machine, Price

COLUMNS = (
    "cloud",
    "region",
    "instance_type",
    "purchase_option",
    "usd_per_hour",
    "valid_from",
    "as_of",
    "source",
)
PURCHASE_OPTIONS = ("on_demand", "spot", "reserved")


class PriceFileError(ValueError):
    """A price file that cannot be read; the message names file, line, field, value and remedy."""


def parse_prices(text: str, name: str) -> Iterator[Price]:
    """Yield the prices in `text`; `name` is the file's name for error messages."""
    numbered = [
        (n, line) for n, line in enumerate(text.splitlines(), 1) if line[:1] not in ("", "#")
    ]
    rows = csv.reader(line for _, line in numbered)
    header = next(rows, None)
    if header is None or tuple(header) != COLUMNS:
        raise PriceFileError(f"{name}: header must be {','.join(COLUMNS)}, found {header}")
    for (number, _), row in zip(numbered[1:], rows, strict=True):
        where = f"{name} line {number}"
        if len(row) != len(COLUMNS):
            raise PriceFileError(f"{where}: {len(COLUMNS)} fields expected, found {len(row)}")
        yield _price(dict(zip(COLUMNS, row, strict=True)), where)


def format_prices(prices: Iterable[Price]) -> str:
    """Return `prices` as the text of a price file, in the order given."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for price in prices:
        machine = price.machine
        usd = Decimal(price.micro_usd_per_hour) / MICRO_USD_PER_USD
        begin = price.valid_from_us
        writer.writerow(
            (
                machine.cloud,
                machine.region,
                machine.instance_type,
                machine.purchase_option,
                format(usd.normalize(), "f"),
                "" if begin is None else datetime.fromtimestamp(begin / 1e6, UTC).date(),
                price.as_of,
                price.source,
            )
        )
    return out.getvalue()


def _price(row: dict[str, str], where: str) -> Price:
    for field in ("cloud", "region", "instance_type", "as_of", "source"):
        if not row[field]:
            raise PriceFileError(f"{where}: {field} is empty; a value is required")
    if row["purchase_option"] not in PURCHASE_OPTIONS:
        accepted = ", ".join(PURCHASE_OPTIONS)
        raise PriceFileError(
            f"{where}: purchase_option is {row['purchase_option']!r}; accepted: {accepted}"
        )
    machine = Machine(row["cloud"], row["region"], row["instance_type"], row["purchase_option"])
    return Price(
        machine=machine,
        micro_usd_per_hour=_micro_usd(row["usd_per_hour"], where),
        valid_from_us=_instant(row["valid_from"], where),
        as_of=row["as_of"],
        source=row["source"],
    )


def _micro_usd(text: str, where: str) -> int:
    accepted = "accepted: USD per hour, zero or more, at most six decimals"
    try:
        micro = Decimal(text) * MICRO_USD_PER_USD
    except InvalidOperation:
        micro = Decimal("NaN")
    if not micro.is_finite() or micro < 0 or micro != micro.to_integral_value():
        raise PriceFileError(f"{where}: usd_per_hour is {text!r}; {accepted}")
    return int(micro)


def _instant(text: str, where: str) -> int | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PriceFileError(
            f"{where}: valid_from is {text!r}; accepted: a date like 2026-11-01, or empty"
        ) from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
