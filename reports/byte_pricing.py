"""A price book as rates for bytes, moved or at rest, that remember what had no price."""

from dataclasses import dataclass, field

from costs import BytePrice, PriceBook, PriceMissingError
from costs.prices.transfer import INGRESS, INTERNET

FREE = BytePrice(0, 1)


@dataclass
class BytePricing:
    """Looks prices of bytes up. What has none costs 0 here and stands in `missing`, in words."""

    book: PriceBook
    missing: set[str] = field(default_factory=set)

    def moved(
        self, cloud: str | None, region: str | None, instant_us: int
    ) -> tuple[BytePrice, BytePrice]:
        """Return the prices of what comes in to a region and of what leaves it."""
        if self.book.resources.egress_to == "none":
            return FREE, FREE
        if cloud is None or region is None:
            self.missing.add("bytes of machines of which nothing is known")
            return FREE, FREE
        return (
            self._transfer(cloud, region, INGRESS, instant_us, known_free=True),
            self._transfer(cloud, region, INTERNET, instant_us, known_free=False),
        )

    def stored(self, cloud: str, region: str, storage_class: str, instant_us: int) -> BytePrice:
        """Return the price of keeping bytes for a month."""
        try:
            found = self.book.storage_at(cloud, region, storage_class, instant_us)
        except PriceMissingError:
            self.missing.add(f"{storage_class} storage in {cloud} {region}")
            return FREE
        return BytePrice(found.price.micro_usd, found.unit_bytes)

    def _transfer(
        self, cloud: str, region: str, to: str, instant_us: int, *, known_free: bool
    ) -> BytePrice:
        try:
            found = self.book.transfer_at(cloud, region, to, instant_us)
        except PriceMissingError:
            # No cloud of the catalogue takes money for what comes in, so few files say so.
            if not known_free:
                self.missing.add(f"bytes from {cloud} {region} to the {to}")
            return FREE
        return BytePrice(found.micro_usd, found.unit_bytes)
