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
FREE = "price of a machine is below a millionth of a USD per hour"
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
        """Take the price of a machine, rounded half to even to whole micro-USD, unless to none."""
        if not price.whole():
            self.skip(FREE)
            return
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
        """Return what matches a pattern of each; None for all. The rest is counted as skipped.

        A type is kept where a price of it is: of itself it has no region.
        """
        if regions is None and instance_types is None:
            return self
        kept = Found(
            [p for p in self.prices if _asked(p.machine, regions, instance_types)],
            [c for c in self.commitments if _asked(c, regions, instance_types)],
            skipped=self.skipped.copy(),
            notes=self.notes.copy(),
        )
        sold = {p.machine.instance_type for p in kept.prices}
        sold |= {c.instance_type for c in kept.commitments}
        kept.instance_types = [t for t in self.instance_types if t.instance_type in sold]
        kept.skipped[NOT_ASKED] += len(self) - len(kept)
        return kept

    def __len__(self) -> int:
        return len(self.prices) + len(self.commitments) + len(self.instance_types)


def _asked(
    sold: Machine | CommitmentOffer,
    regions: Sequence[str] | None,
    instance_types: Sequence[str] | None,
) -> bool:
    return all(
        patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)
        for name, patterns in ((sold.region, regions), (sold.instance_type, instance_types))
    )
