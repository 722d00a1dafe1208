"""From the spend of one week to that of the next: drivers, movers, and how they are spelled.

Amounts are in ticks (see costs/money.py) and exact until they are spelled, in USD.
"""

from dataclasses import dataclass
from fractions import Fraction

from costs import Ticks
from reports.weekly.amount import shows, spell_steps

# Keys of the drivers that say how much machine time was paid for.
OF_MACHINE_TIME = ("volume", "mix", "work_per_request", "utilization")


@dataclass(frozen=True)
class Driver:
    """A cause that moved the spend, and by how much; `key` names it for programs."""

    key: str
    name: str
    change: Ticks


@dataclass(frozen=True)
class Bridge:
    """From the spend of the week before to that of this one, driver by driver."""

    before: Ticks
    now: Ticks
    drivers: tuple[Driver, ...]

    @property
    def change(self) -> Ticks:
        """How much more was spent than in the week before."""
        return self.now - self.before

    @property
    def exact(self) -> bool:
        """Whether the drivers add up to the change, to the last digit."""
        return sum((driver.change for driver in self.drivers), Fraction(0)) == self.change

    @property
    def leading(self) -> Driver | None:
        """What moved the spend most in the direction that it went; None where nothing did.

        On the same machines more work is better utilisation, and costs nothing. So the drivers of
        machine time count together; the largest of them stands for all where the others do not
        cancel more than half of it.
        """
        sign = 1 if self.change > 0 else -1

        def push(driver: Driver) -> Fraction:
            return sign * Fraction(driver.change)

        together = [driver for driver in self.drivers if driver.key in OF_MACHINE_TIME]
        net = sum((driver.change for driver in together), Fraction(0))
        machine_time = Driver("machine_time", "machine time", net)
        alone = [driver for driver in self.drivers if driver.key not in OF_MACHINE_TIME]
        pushing = [driver for driver in (machine_time, *alone) if push(driver) > 0]
        if not self.change or not pushing:
            return None
        found = max(pushing, key=push)
        if found is not machine_time:
            return found
        largest = max(together, key=push)
        return largest if push(largest) <= 2 * push(machine_time) else machine_time


@dataclass(frozen=True)
class Mover:
    """Something whose cost changed, and why."""

    name: str
    before: Ticks
    now: Ticks
    cause: str

    @property
    def change(self) -> Ticks:
        """How much more it cost than in the week before."""
        return self.now - self.before


def bridge_amounts(bridge: Bridge) -> tuple[str, dict[Driver, str], str]:
    """Return the spend before, each driver's change with its sign, and the spend now, in USD.

    They add up as they are spelled.
    """
    before, changes, now = spell_steps(bridge.before, [d.change for d in bridge.drivers])
    return before, dict(zip(bridge.drivers, changes, strict=True)), now


def leading_words(bridge: Bridge) -> str:
    """Return what led the change, with its amount as in the bridge; nothing where nothing did."""
    leading = bridge.leading
    if leading is None:
        return ""
    _, changes, _ = bridge_amounts(bridge)
    if leading not in changes:
        rest = bridge.change - leading.change
        _, (amount, _), _ = spell_steps(bridge.before, [leading.change, rest])
    else:
        amount = changes[leading]
    return f", led by {leading.name} ({amount} USD)"


def shown_drivers(bridge: Bridge) -> list[Driver]:
    """Return the drivers whose change is more than nothing as it is spelled."""
    _, changes, _ = bridge_amounts(bridge)
    return [driver for driver in bridge.drivers if shows(changes[driver])]
