"""What a sum of money was paid for: the parts that every figure of cost is made of."""

from dataclasses import dataclass, fields
from fractions import Fraction

from costs.money import Ticks


@dataclass(frozen=True)
class Components:
    """Cost by what it was paid for, in ticks; the parts of two add up to the parts of both.

    `compute` is machine time that requests own, `idle` machine time that nobody does, `network`
    bytes sent and received, `storage` bytes at rest, `cache` what holds answers beside the nodes,
    `commitment` what was promised to the provider and not used (and what was used beyond the
    promise, at the dearer price).
    """

    compute: Ticks = Fraction(0)
    network: Ticks = Fraction(0)
    storage: Ticks = Fraction(0)
    cache: Ticks = Fraction(0)
    idle: Ticks = Fraction(0)
    commitment: Ticks = Fraction(0)

    def __add__(self, other: "Components") -> "Components":
        return Components(
            *(getattr(self, part.name) + getattr(other, part.name) for part in fields(self))
        )

    def times(self, factor: Fraction) -> "Components":
        """Return each part times `factor`."""
        return Components(*(Fraction(getattr(self, part.name)) * factor for part in fields(self)))

    @property
    def direct(self) -> Ticks:
        """What single requests cause: their machine time and their bytes."""
        return self.compute + self.network

    @property
    def indirect(self) -> Ticks:
        """What no single request causes."""
        return self.storage + self.cache + self.idle + self.commitment

    @property
    def machine(self) -> Ticks:
        """Price x uptime."""
        return self.compute + self.idle

    @property
    def total(self) -> Ticks:
        """Everything."""
        return self.direct + self.indirect
