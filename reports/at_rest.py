"""What is stored somewhere and paid for by time: what is declared, and this product's archive."""

from collections.abc import Iterable

from costs import AtRest, BytePrice, Resources
from costs.prices.units import GB

ARCHIVE = "archive of this product"


def stored_by(resources: Resources, archive_sizes: Iterable[tuple[int, int]]) -> list[AtRest]:
    """Return everything at rest; `archive_sizes` are (instant, bytes) of what came to the archive.

    The archive costs nothing where its place is not declared.
    """
    found = [
        AtRest(
            each.name,
            each.cloud,
            each.region,
            each.storage_class,
            each.stored_bytes,
            each.from_us,
            each.to_us,
            None
            if each.micro_usd_per_gb_month is None
            else BytePrice(each.micro_usd_per_gb_month, GB),
        )
        for each in resources.storage
    ]
    place = resources.archive
    if place is not None:
        found += [
            AtRest(ARCHIVE, place.cloud, place.region, place.storage_class, size, at_us)
            for at_us, size in archive_sizes
        ]
    return found
