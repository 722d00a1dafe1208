"""Who bears what no single request causes: idle time above all.

Whatever the rule, what is shared out and what stays apart add up to the whole, exactly.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from costs.money import Ticks

K = TypeVar("K", bound=Hashable)


class Sharing(StrEnum):
    """A rule. Standing apart is the default: whose idle time it is, is a decision, not a fact."""

    SEPARATE = "separate"
    PROPORTIONAL = "proportional"
    EVEN = "even"
    OWNER = "owner"


@dataclass(frozen=True)
class Shares(Generic[K]):
    """The part of each slice, in ticks, and what nobody bears. They add up to what was shared."""

    of: Mapping[K, Ticks]
    apart: Ticks


def share_out(
    shared: Ticks, direct: Mapping[K, Ticks], rule: Sharing, owner: K | None = None
) -> Shares[K]:
    """Return who bears `shared`, given the direct cost of each slice.

    PROPORTIONAL goes by direct cost; where nothing has any, there is nothing to go by, and all of
    it stands apart. EVEN gives each slice of `direct` the same part. OWNER gives all of it to
    `owner`, who need not be among the slices. Raises ValueError for OWNER without `owner`, and for
    a negative direct cost.
    """
    negative = next((key for key, cost in direct.items() if cost < 0), None)
    if negative is not None:
        raise ValueError(f"direct cost of {negative!r} is {direct[negative]}; accepted: 0 or more")
    if rule is Sharing.OWNER:
        if owner is None:
            raise ValueError("sharing is owner, owner is missing; accepted: who bears it")
        return Shares({**dict.fromkeys(direct, Fraction(0)), owner: shared}, Fraction(0))
    if rule is Sharing.EVEN and direct:
        part = Fraction(shared) / len(direct)
        return Shares(dict.fromkeys(direct, part), Fraction(0))
    whole = sum(direct.values(), Fraction(0))
    if rule is Sharing.PROPORTIONAL and whole:
        per_tick = Fraction(shared) / whole
        return Shares({key: cost * per_tick for key, cost in direct.items()}, Fraction(0))
    return Shares(dict.fromkeys(direct, Fraction(0)), shared)
