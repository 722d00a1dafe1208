"""The amounts of a bridge as they are spelled, wherever one of them is said."""

from reports.weekly.amount import shows, signed, spell_sum
from reports.weekly.review import Bridge, Driver


def bridge_amounts(bridge: Bridge) -> tuple[str, dict[Driver, str], str]:
    """Return the spend before, each driver's change with its sign, and the spend now, in USD.

    They add up as they are spelled.
    """
    (before, *changes), now = spell_sum([bridge.before, *(d.change for d in bridge.drivers)])
    return before, dict(zip(bridge.drivers, map(signed, changes), strict=True)), now


def shown_drivers(bridge: Bridge) -> list[Driver]:
    """Return the drivers whose change is more than nothing as it is spelled."""
    _, changes, _ = bridge_amounts(bridge)
    return [driver for driver in bridge.drivers if shows(changes[driver])]
