"""Prices of machines as dated facts, looked up at an instant."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Machine:
    """What a provider sells by the hour: the key of a price."""

    cloud: str
    region: str
    instance_type: str
    purchase_option: str

    def __str__(self) -> str:
        option = self.purchase_option.replace("_", "-")
        return f"{self.cloud} {self.instance_type} in {self.region}, {option}"


@dataclass(frozen=True)
class Price:
    """What a machine costs from an instant on, and where the figure is from.

    `valid_from_us` is None for a price without a known beginning.
    """

    machine: Machine
    micro_usd_per_hour: int
    valid_from_us: int | None
    as_of: str
    source: str


class PriceMissingError(LookupError):
    """The catalogue has no price for a machine at an instant."""


class Catalogue:
    """Every known price. Two prices of one machine may not begin at the same instant."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices: dict[Machine, list[Price]] = {}
        for price in prices:
            self._prices.setdefault(price.machine, []).append(price)
        for machine, dated in self._prices.items():
            dated.sort(key=_begin)
            begins = [_begin(price) for price in dated]
            if len(set(begins)) < len(begins):
                raise ValueError(f"{machine}: two prices begin at the same instant")

    def __len__(self) -> int:
        return sum(len(dated) for dated in self._prices.values())

    def at(self, machine: Machine, instant_us: int) -> Price:
        """Return the price of `machine` in force at `instant_us`.

        Raises PriceMissingError when the machine is unknown or has no price as early as that.
        """
        dated = self._prices.get(machine, [])
        position = bisect_right(dated, instant_us, key=_begin)
        if position == 0:
            raise PriceMissingError(f"no price for {machine} in the catalogue")
        return dated[position - 1]

    def changes(self) -> list[int]:
        """Return every instant (microseconds, UTC, ascending) at which some price begins.

        Between two of them all prices are constant; the first interval begins at 0.
        """
        begins = {_begin(price) for dated in self._prices.values() for price in dated}
        return sorted(begins | {0})


def _begin(price: Price) -> int:
    return 0 if price.valid_from_us is None else price.valid_from_us
