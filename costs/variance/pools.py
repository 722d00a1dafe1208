"""Whose machines they are where several models share them.

A pool is machines of one kind. Its cost and its capacity belong to those that it executed for, in
proportion to their direct cost: so two models on one pool pay the same for a provided
worker-second, and the same utilisation holds for both. (Exactly the same where all nodes of the
pool have as many workers; else a worker of a smaller node costs more, and has more time provided.)
A pool without a price has no direct cost, and is shared by busy time. A pool that executed nothing
belongs to nobody.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from costs.checks import check_number
from costs.money import Ticks
from costs.variance.usage import Usage

K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Hashable)


@dataclass(frozen=True)
class Pool:
    """Machine cost in ticks, capacity in worker-microseconds; ValueError unless exact."""

    cost: Ticks
    capacity_us: Ticks

    def __post_init__(self) -> None:
        check_number("cost", self.cost)
        check_number("capacity_us", self.capacity_us)


@dataclass(frozen=True)
class Execution:
    """What one key had executed on one pool: direct cost in ticks, busy worker-microseconds.

    Raises ValueError unless both are exact.
    """

    direct: Ticks
    busy_us: Ticks

    def __post_init__(self) -> None:
        check_number("direct", self.direct)
        check_number("busy_us", self.busy_us)


@dataclass(frozen=True)
class Shared(Generic[K]):
    """What each key did and cost, and the cost of pools that executed nothing.

    Costs of all usages and `unused` add up to the cost of the pools exactly.
    """

    usages: Mapping[K, Usage]
    unused: Ticks


def share_pools(
    pools: Mapping[P, Pool],
    executed: Mapping[K, Mapping[P, Execution]],
    requests: Mapping[K, int],
    owners: Mapping[P, K] | None = None,
) -> Shared[K]:
    """Return the usage of every key of `executed` or `requests`, its pools together.

    A pool that executed nothing goes to its owner where it has one: a region owns its machines,
    busy or not. Raises ValueError where something was executed on a pool that is not in `pools`.
    """
    shares = _shares(pools, executed)
    used = {name for on in shares.values() for name, share in on.items() if share}
    unused = {name: pool for name, pool in pools.items() if name not in used}
    for name in unused.keys() & (owners or {}).keys():
        shares.setdefault((owners or {})[name], {})[name] = Fraction(1)
        del unused[name]
    usages = {}
    for key in {**executed, **requests, **shares}:
        parts = [(pools[name], share) for name, share in shares.get(key, {}).items()]
        busy = (Fraction(part.busy_us) for part in executed.get(key, {}).values())
        usages[key] = Usage(
            requests=requests.get(key, 0),
            busy_us=sum(busy, Fraction(0)),
            provisioned_us=sum((pool.capacity_us * share for pool, share in parts), Fraction(0)),
            cost=sum((pool.cost * share for pool, share in parts), Fraction(0)),
        )
    return Shared(usages, sum((Fraction(pool.cost) for pool in unused.values()), Fraction(0)))


def _shares(
    pools: Mapping[P, Pool], executed: Mapping[K, Mapping[P, Execution]]
) -> dict[K, dict[P, Fraction]]:
    """Return the part of each pool that belongs to each key that executed on it."""
    direct: dict[P, Fraction] = {}
    busy_us: dict[P, Fraction] = {}
    for on in executed.values():
        for name, part in on.items():
            if name not in pools:
                accepted = ", ".join(sorted(str(known) for known in pools)) or "none"
                raise ValueError(f"pool is {name}, which is not known; accepted: {accepted}")
            direct[name] = direct.get(name, Fraction(0)) + part.direct
            busy_us[name] = busy_us.get(name, Fraction(0)) + part.busy_us
    found: dict[K, dict[P, Fraction]] = {}
    for key, on in executed.items():
        for name, part in on.items():
            own, whole = Fraction(part.direct), direct[name]
            if not whole:
                own, whole = Fraction(part.busy_us), busy_us[name]
            found.setdefault(key, {})[name] = own / whole if whole else Fraction(0)
    return found
