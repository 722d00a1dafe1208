"""Prices of machines, looked up at an instant; rules of the user win over the list."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from costs.price import Machine, Price, PriceMissingError
from costs.prices.dated import Dated, begin_us
from costs.prices.override import (
    NO_OVERRIDES,
    Discount,
    Fixed,
    Overrides,
    Rule,
    changes,
    deciding,
)


class Catalogue:
    """Every known price. Two prices of one machine may not begin at the same instant."""

    def __init__(self, prices: Iterable[Price], overrides: Overrides = NO_OVERRIDES) -> None:
        self._list = Dated(prices, lambda price: price.machine)
        self.overrides = overrides
        self._in_force: dict[Machine, tuple[list[int], list[Price | None]]] = {}

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Price]:
        """Yield the list prices, before any override."""
        return iter(self._list)

    def at(self, machine: Machine, instant_us: int) -> Price:
        """Return the price of `machine` in force at `instant_us`.

        Raises PriceMissingError when the machine is unknown or has no price as early as that.
        """
        begins, prices = self._in_force.get(machine) or self._work_out(machine)
        position = bisect_right(begins, instant_us)
        price = prices[position - 1] if position else None
        if price is None:
            raise PriceMissingError(f"no price for {machine} in the catalogue")
        return price

    def machines(self) -> list[Machine]:
        """Return every machine with a price of its own, in the list or by a rule, sorted."""
        return sorted({*self._list.known(), *self.overrides.machines()})

    def changes(self) -> list[int]:
        """Return every instant (microseconds, UTC, ascending) at which some price begins.

        Between two of them all prices are constant; the first interval begins at 0.
        """
        return sorted(self._list.begins() | self.overrides.changes() | {0})

    def _work_out(self, machine: Machine) -> tuple[list[int], list[Price | None]]:
        """Return the prices of `machine` and the instants at which each begins."""
        dated, rules = self._list.of(machine), self.overrides.of(machine)
        instants = {0, *map(begin_us, dated), *changes(rules)}
        begins: list[int] = []
        prices: list[Price | None] = []
        before: tuple[Price | None, Rule | None] | None = None
        for instant in sorted(instants):
            found = self._list.at(machine, instant), deciding(rules, instant)
            # Where a rule ends that decided nothing, the price before goes on.
            if found != before:
                begins.append(instant)
                prices.append(_priced(machine, *found, instant or None))
            before = found
        # An unknown machine is not kept: there is no end of them.
        if any(prices):
            self._in_force[machine] = begins, prices
        return begins, prices


def _priced(
    machine: Machine, listed: Price | None, rule: Rule | None, from_us: int | None
) -> Price | None:
    """Return what `rule` makes of the price `listed` from `from_us` on."""
    if rule is None:
        return listed
    match rule.effect:
        case Fixed(micro_usd_per_hour, as_of, source):
            return Price(
                machine=machine,
                micro_usd_per_hour=micro_usd_per_hour,
                valid_from_us=from_us,
                as_of=as_of,
                source=source,
                list_micro_usd_per_hour=listed.micro_usd_per_hour if listed else None,
                override=rule.name,
            )
        case Discount(percent) if listed is not None:
            whole = listed.micro_usd_per_hour
            return replace(
                listed,
                micro_usd_per_hour=round(whole * (1 - percent / Fraction(100))),
                valid_from_us=from_us,
                list_micro_usd_per_hour=whole,
                override=rule.name,
            )
    return None
