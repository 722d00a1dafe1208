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
        try:
            price = self.catalogue.at(machine, instant_us)
        except PriceMissingError:
            self.missing.add(machine)
            return 0
        self.used[machine] = price
        return price.micro_usd_per_hour

    def knows(self, machine: Machine, instant_us: int) -> bool:
        """Return whether `machine` has a price at `instant_us`; a machine that has none is kept."""
        self.rate(machine, instant_us)
        return machine not in self.missing
