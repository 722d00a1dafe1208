"""What is charged by quantity: whole units of it such that price x quantity is exact."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from costs.apportion import Running, apportion
from costs.money import MICRO_USD_PER_USD
from reports.finance.charge import ZERO, amounts, unit_prices

# FOCUS's limit for a cost, and the most decimals that a quantity has.
COST_PLACES, QUANTITY_PLACES = 12, 6
GB, GIB = 10**9, 2**30
UNIT_NAMES: Mapping[int, str] = {GB: "GB", GIB: "GiB"}


@dataclass(frozen=True)
class UnitPrice:
    """A price in USD with as many decimals as it needs, and the decimals of a quantity with it."""

    usd: Decimal
    quantity_places: int

    @classmethod
    def of(cls, micro_usd: int | Fraction) -> "UnitPrice":
        """Return a price in micro-USD, rounded to twelve decimals of a USD where it has more."""
        scaled = round(Fraction(micro_usd) / MICRO_USD_PER_USD * 10**COST_PLACES)
        usd = Decimal(scaled).scaleb(-COST_PLACES)
        exponent = usd.normalize().as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
        return cls(usd, min(QUANTITY_PLACES, COST_PLACES - places))

    def quantity(self, units: int) -> Decimal:
        """Return `units` as a quantity."""
        return Decimal(units).scaleb(-self.quantity_places)


@dataclass
class Meter:
    """Turns exact quantities of many things into units, without drift over time.

    `exact_usd` is what they would have cost without rounding.
    """

    exact_usd: Fraction = Fraction(0)
    _running: dict[Hashable, Running] = field(default_factory=dict)

    def units(self, key: Hashable, quantity: Fraction, price: UnitPrice) -> int:
        """Return the units of `quantity` of the thing `key`, together with those before."""
        self.exact_usd += quantity * Fraction(price.usd)
        running = self._running.setdefault((key, price.quantity_places), Running())
        return running.take(quantity * 10**price.quantity_places)

    def shares(
        self, key: Hashable, counts: list[int], per_unit: int, price: UnitPrice
    ) -> list[int]:
        """Return the units of each of `counts`, of which `per_unit` are a quantity of one.

        They sum to those of all together.
        """
        return apportion(self.units(key, Fraction(sum(counts), per_unit), price), counts)


def metered_fields(price: UnitPrice, units: int, unit: str) -> dict[str, Any]:
    """Return quantity, prices and costs of a row of usage that is charged at one price."""
    quantity = price.quantity(units)
    cost = quantity * price.usd if units else ZERO
    return {
        **amounts(list_cost=cost, contracted=cost, effective=cost, billed=cost),
        **unit_prices(price.usd, price.usd),
        "charge_category": "Usage",
        "charge_frequency": "Usage-Based",
        "consumed_quantity": quantity,
        "consumed_unit": unit,
        "pricing_category": "Standard",
        "pricing_quantity": quantity,
        "pricing_unit": unit,
    }
