"""What an importer found in price lists, and what it left out, counted by reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from fractions import Fraction

from costs.price import Machine, Price
from costs.prices.commitment import CommitmentOffer
from costs.prices.instance_type import InstanceType
from costs.prices.units import PerHour

# Price files have twelve decimals of a USD: six of a micro-USD.
MICRO_PARTS = 10**6
NOT_ASKED = "not asked for"
ROUNDED = "price of a machine rounded to whole micro-USD per hour"
CUT = "price of a commitment rounded to twelve decimals of a USD"


class ImportFileError(ValueError):
    """A file that is no price list of its format; the message names it and what is accepted."""


@dataclass(frozen=True)
class Origin:
    """Where figures are from: `source` as people cite it, `as_of` the day it showed them."""

    source: str
    as_of: str


@dataclass
class Found:
    """Facts as the lists have them.

    `valid_from_us` is what a list says of the beginning of a price, None where it does not.
    `skipped` are entries left out, `notes` what was done to those taken, both counted by reason.
    """

    prices: list[Price] = field(default_factory=list)
    commitments: list[CommitmentOffer] = field(default_factory=list)
    instance_types: list[InstanceType] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def skip(self, reason: str) -> None:
        """Count an entry that is left out."""
        self.skipped[reason] += 1

    def add_price(
        self, machine: Machine, price: PerHour, valid_from_us: int | None, origin: Origin
    ) -> None:
        """Take the price of a machine, rounded half to even to whole micro-USD."""
        if price.micro_usd.denominator != 1:
            self.notes[ROUNDED] += 1
        self.prices.append(
            Price(machine, price.whole(), valid_from_us, origin.as_of, origin.source)
        )

    def writable(self, amount: Fraction) -> Fraction:
        """Return `amount` in micro-USD with as many decimals as a price file holds."""
        parts = amount * MICRO_PARTS
        if parts.denominator != 1:
            self.notes[CUT] += 1
        return Fraction(round(parts), MICRO_PARTS)

    def add(self, other: "Found") -> None:
        """Take over all that `other` holds."""
        self.prices += other.prices
        self.commitments += other.commitments
        self.instance_types += other.instance_types
        self.skipped += other.skipped
        self.notes += other.notes

    def only(self, regions: Sequence[str] | None, instance_types: Sequence[str] | None) -> "Found":
        """Return what matches a pattern of each; None for all. The rest is counted as skipped."""
        kept = Found(skipped=+self.skipped, notes=+self.notes)
        for price in self.prices:
            if _asked(price.machine.region, price.machine.instance_type, regions, instance_types):
                kept.prices.append(price)
        for offer in self.commitments:
            if _asked(offer.region, offer.instance_type, regions, instance_types):
                kept.commitments.append(offer)
        for each in self.instance_types:
            if _asked("", each.instance_type, None, instance_types):
                kept.instance_types.append(each)
        left = len(self) - len(kept)
        kept.skipped += Counter({NOT_ASKED: left})
        return kept

    def __len__(self) -> int:
        return len(self.prices) + len(self.commitments) + len(self.instance_types)


def _asked(
    region: str,
    instance_type: str,
    regions: Sequence[str] | None,
    instance_types: Sequence[str] | None,
) -> bool:
    return (regions is None or any(fnmatchcase(region, p) for p in regions)) and (
        instance_types is None or any(fnmatchcase(instance_type, p) for p in instance_types)
    )
