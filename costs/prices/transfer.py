"""What moving bytes costs, and `data/prices/transfer.csv`, both directions.

A row is a tier: from `tier_from` GB (or GiB, as in `per`) a month on, a GB costs `usd`. Tiers are
kept for whoever negotiates; the price in force is the first tier, so cost is linear and exact.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise

from costs.prices.table import (
    PriceFileError,
    Row,
    day_text,
    format_rows,
    parse_rows,
    usd_text,
)
from costs.prices.units import UNIT_BYTES

COLUMNS = (
    "cloud",
    "region",
    "to",
    "tier_from",
    "usd",
    "per",
    "valid_from",
    "as_of",
    "source",
)
# Where bytes go, besides the name of a region.
INTERNET = "internet"
INTER_ZONE = "inter_zone"
OTHER_REGIONS = "other_regions"
# Where bytes come in, whatever they come from.
INGRESS = "ingress"

TransferKey = tuple[str, str, str]


@dataclass(frozen=True)
class Tier:
    """From `from_bytes` a month on, a unit costs `micro_usd`."""

    from_bytes: int
    micro_usd: Fraction


@dataclass(frozen=True)
class TransferPrice:
    """What a unit of `unit_bytes` from `region` `to` somewhere costs from an instant on.

    `to` is a region, other_regions, inter_zone, internet, or ingress for what comes in.
    """

    cloud: str
    region: str
    to: str
    unit_bytes: int
    tiers: tuple[Tier, ...]
    valid_from_us: int | None
    as_of: str
    source: str

    @property
    def key(self) -> TransferKey:
        """What tells transfers apart."""
        return self.cloud, self.region, self.to

    @property
    def micro_usd(self) -> Fraction:
        """Micro-USD for each `unit_bytes`: the first tier's."""
        return self.tiers[0].micro_usd


def parse_transfers(text: str, name: str) -> Iterator[TransferPrice]:
    """Yield the prices in `text`, tiers of one in rows that follow each other.

    `name` is the file's name. Raises PriceFileError.
    """
    for _, tiers in groupby(parse_rows(text, name, COLUMNS), key=_of):
        yield _transfer(list(tiers))


def format_transfers(transfers: Iterable[TransferPrice]) -> str:
    """Return `transfers` as the text of the file, in the order given."""
    units = {size: unit for unit, size in UNIT_BYTES.items()}
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.region,
                each.to,
                tier.from_bytes // each.unit_bytes,
                usd_text(tier.micro_usd),
                units[each.unit_bytes],
                day_text(each.valid_from_us),
                each.as_of,
                each.source,
            )
            for each in transfers
            for tier in each.tiers
        ),
    )


def _of(row: Row) -> tuple[str, ...]:
    return tuple(row.fields[field] for field in ("cloud", "region", "to", "valid_from"))


def _transfer(rows: Sequence[Row]) -> TransferPrice:
    first = rows[0]
    unit_bytes = UNIT_BYTES[first.choice("per", UNIT_BYTES)]
    for row in rows:
        if any(row.fields[field] != first.fields[field] for field in ("per", "as_of", "source")):
            raise PriceFileError(
                f"{row.where}: per, as_of or source differs from {first.where}; accepted: the same "
                "for every tier of a price"
            )
    tiers = tuple(
        Tier(row.whole("tier_from") * unit_bytes, row.usd("usd", decimals=12)) for row in rows
    )
    ascending = all(low.from_bytes < high.from_bytes for low, high in pairwise(tiers))
    if tiers[0].from_bytes or not ascending:
        raise first.error("tier_from", "tiers from 0 on, ascending, in rows that follow each other")
    return TransferPrice(
        cloud=first.text("cloud"),
        region=first.text("region"),
        to=first.text("to"),
        unit_bytes=unit_bytes,
        tiers=tiers,
        valid_from_us=first.day_us("valid_from"),
        as_of=first.text("as_of"),
        source=first.text("source"),
    )
