"""The price file `data/prices/instances.csv`: one row per machine and validity, both directions.

Columns: cloud, region, instance_type, purchase_option, usd_per_hour, valid_from, as_of, source.
`valid_from` is a date (00:00 UTC) or empty for "no known beginning"; `as_of` says when the source
showed the figure. Lines that begin with `#` are comments.
"""

from collections.abc import Iterable, Iterator

from costs.price import PURCHASE_OPTIONS, Machine, Price
from costs.prices.table import Row, day_text, format_rows, parse_rows, usd_text

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


def parse_prices(text: str, name: str) -> Iterator[Price]:
    """Yield the prices in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_price, parse_rows(text, name, COLUMNS))


def format_prices(prices: Iterable[Price]) -> str:
    """Return `prices` as the text of a price file, in the order given."""
    return format_rows(
        COLUMNS,
        (
            (
                price.machine.cloud,
                price.machine.region,
                price.machine.instance_type,
                price.machine.purchase_option,
                usd_text(price.micro_usd_per_hour),
                day_text(price.valid_from_us),
                price.as_of,
                price.source,
            )
            for price in prices
        ),
    )


def _price(row: Row) -> Price:
    return Price(
        machine=Machine(
            row.text("cloud"),
            row.text("region"),
            row.text("instance_type"),
            row.choice("purchase_option", PURCHASE_OPTIONS),
        ),
        micro_usd_per_hour=int(row.usd("usd_per_hour", decimals=6)),
        valid_from_us=row.day_us("valid_from"),
        as_of=row.text("as_of"),
        source=row.text("source"),
    )
