"""Who asks for what: the popularity of inputs, and the mix of tenants and priorities."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simulator.errors import WorkloadError
from simulator.workload import (
    ACCEPTED,
    DEFAULT_PRIORITY,
    DEFAULT_TENANT,
    PRIORITIES,
    Floats,
    Integers,
    Strings,
    Workload,
    is_tenant,
)

MOST_KEYS = 100_000_000


@dataclass(frozen=True)
class Population:
    """What requests are drawn from, each property independently of the others.

    keys: how many inputs exist. zipf_exponent: the input of rank r (from 1) is asked for in
    proportion to r ** -zipf_exponent; 0 makes all equally popular.
    tenants, priorities: weight of each name; only proportions matter.
    Raises WorkloadError on construction when a value is outside what is accepted.
    """

    keys: int
    zipf_exponent: float = 1.1
    tenants: Mapping[str, float] = field(default_factory=lambda: {DEFAULT_TENANT: 1.0})
    priorities: Mapping[str, float] = field(default_factory=lambda: {DEFAULT_PRIORITY: 1.0})

    def __post_init__(self) -> None:
        if not 1 <= self.keys <= MOST_KEYS:
            raise WorkloadError("keys", self.keys, f"a whole number from 1 to {MOST_KEYS}")
        if not (math.isfinite(self.zipf_exponent) and self.zipf_exponent >= 0):
            raise WorkloadError("zipf_exponent", self.zipf_exponent, "a finite number, 0 or more")
        for name in self.tenants:
            if not is_tenant(name):
                raise WorkloadError("tenants", name, ACCEPTED["tenant"])
        for name in self.priorities:
            if name not in PRIORITIES:
                raise WorkloadError("priorities", name, ACCEPTED["priority"])
        _check_weights("tenants", self.tenants)
        _check_weights("priorities", self.priorities)

    def workload(self, rng: np.random.Generator, arrived_at_s: Floats) -> Workload:
        """Return a workload with these arrivals [n] in seconds, everything else drawn here.

        Raises WorkloadError when an arrival is no finite number of seconds, 0 or more.
        """
        count = len(arrived_at_s)
        return Workload.of(
            arrived_at_s,
            key=zipf_keys(rng, count, keys=self.keys, exponent=self.zipf_exponent),
            tenant=_drawn(rng, count, self.tenants),
            priority=_drawn(rng, count, self.priorities),
        )


def zipf_keys(rng: np.random.Generator, count: int, *, keys: int, exponent: float) -> Integers:
    """Return `count` int64 keys from 0 to `keys` - 1, key k in proportion to (k + 1) ** -exponent.

    Zipf's law over a finite set, by inverting its cumulative distribution; numpy's own `zipf`
    knows only the unbounded law and only exponents above 1.
    """
    ranks = np.arange(1, keys + 1, dtype=np.float64)
    return by_weight(rng, count, ranks**-exponent)


def _drawn(rng: np.random.Generator, count: int, weights: Mapping[str, float]) -> Strings:
    chosen = by_weight(rng, count, np.fromiter(weights.values(), np.float64))
    return np.array(list(weights))[chosen]


def by_weight(rng: np.random.Generator, count: int, weights: npt.NDArray[np.float64]) -> Integers:
    """Return `count` places in `weights`, each in proportion to its weight."""
    cumulative = np.cumsum(weights)
    positions = np.searchsorted(cumulative / cumulative[-1], rng.random(count), side="right")
    return positions.astype(np.int64)


def _check_weights(name: str, weights: Mapping[str, float]) -> None:
    accepted = "names with finite weights of 0 or more, not all 0"
    usable = all(math.isfinite(weight) and weight >= 0 for weight in weights.values())
    total = sum(weights.values()) if usable else 0.0
    if not (total > 0 and math.isfinite(total)):
        raise WorkloadError(name, dict(weights), accepted)
