"""A catalogue as a rate for cost arithmetic that remembers which machines had no price."""

from dataclasses import dataclass, field

from costs import Catalogue, Machine, Price, PriceMissingError


@dataclass
class Pricing:
    """Looks prices up, keeping what was used and what was missing for the reader to see.

    A machine without a price costs 0 here and stands in `missing`: a sum that lacks it is never
    shown without saying so.
    """

    catalogue: Catalogue
    used: dict[Machine, Price] = field(default_factory=dict)
    missing: set[Machine] = field(default_factory=set)

    def rate(self, machine: Machine, instant_us: int) -> int:
        """Return the price of `machine` at `instant_us` in micro-USD per hour."""
        price = self._at(machine, instant_us)
        return 0 if price is None else price.micro_usd_per_hour

    def knows(self, machine: Machine, instant_us: int) -> bool:
        """Return whether `machine` has a price at `instant_us`, whatever it has at others."""
        return self._at(machine, instant_us) is not None

    def _at(self, machine: Machine, instant_us: int) -> Price | None:
        try:
            price = self.catalogue.at(machine, instant_us)
        except PriceMissingError:
            self.missing.add(machine)
            return None
        self.used[machine] = price
        return price
