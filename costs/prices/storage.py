"""What keeping bytes costs, and `data/prices/storage.csv`, both directions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costs.prices.table import Row, day_text, format_rows, parse_rows, usd_text
from costs.prices.units import UNIT_BYTES, PerMonth

COLUMNS = (
    "cloud",
    "region",
    "storage_class",
    "product",
    "usd",
    "per",
    "valid_from",
    "as_of",
    "source",
)
# Classes that clouds can be compared by; `product` is the provider's own name.
STORAGE_CLASSES = ("object_standard", "block_balanced", "block_ssd")
UNITS = {f"{unit}-month": size for unit, size in UNIT_BYTES.items()}

StorageKey = tuple[str, str, str]


@dataclass(frozen=True)
class StoragePrice:
    """What keeping `unit_bytes` for a month costs from an instant on."""

    cloud: str
    region: str
    storage_class: str
    product: str
    unit_bytes: int
    price: PerMonth
    valid_from_us: int | None
    as_of: str
    source: str

    @property
    def key(self) -> StorageKey:
        """What tells storage apart."""
        return self.cloud, self.region, self.storage_class


def parse_storage(text: str, name: str) -> Iterator[StoragePrice]:
    """Yield the prices in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_storage, parse_rows(text, name, COLUMNS))


def format_storage(prices: Iterable[StoragePrice]) -> str:
    """Return `prices` as the text of the file, in the order given."""
    units = {size: unit for unit, size in UNITS.items()}
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.region,
                each.storage_class,
                each.product,
                usd_text(each.price.micro_usd),
                units[each.unit_bytes],
                day_text(each.valid_from_us),
                each.as_of,
                each.source,
            )
            for each in prices
        ),
    )


def _storage(row: Row) -> StoragePrice:
    return StoragePrice(
        cloud=row.text("cloud"),
        region=row.text("region"),
        storage_class=row.choice("storage_class", STORAGE_CLASSES),
        product=row.text("product"),
        unit_bytes=UNITS[row.choice("per", UNITS)],
        price=PerMonth(row.usd("usd", decimals=12)),
        valid_from_us=row.day_us("valid_from"),
        as_of=row.text("as_of"),
        source=row.text("source"),
    )
