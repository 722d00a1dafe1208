"""Who bears idle time: machine time that was paid for and that no request used.

Machines of one kind on one day at one price are a pool. Its idle time is borne by those that it
executed for: who works on cheap machines does not bear dear ones that stand by. Whatever the rule,
what is borne and what stands apart add up to the whole, exactly.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from costs.money import Ticks

K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Hashable)


class Sharing(StrEnum):
    """A rule. Standing apart is the default: whose idle time it is, is a decision, not a fact."""

    SEPARATE = "separate"
    PROPORTIONAL = "proportional"
    EVEN = "even"
    OWNER = "owner"


@dataclass(frozen=True)
class Shares(Generic[K]):
    """What each slice bears, in ticks, and what nobody does. They add up to what was shared."""

    of: Mapping[K, Ticks]
    apart: Ticks


def share_idle(
    idle: Mapping[P, Ticks],
    direct: Mapping[K, Mapping[P, Ticks]],
    rule: Sharing,
    owner: K | None = None,
) -> Shares[K]:
    """Return who bears the `idle` cost of each pool, given what each slice caused on which.

    PROPORTIONAL goes by direct machine cost; EVEN gives each slice that a pool executed for the
    same part of it. What a pool without any such slice costs stands apart. OWNER gives all to
    `owner`, who need not be among the slices. Idle cost may be negative: what arrives on one day
    and is executed on the next counts on the first. Raises ValueError for OWNER without `owner`,
    and for a negative direct cost.
    """
    on_pool: dict[P, dict[K, Ticks]] = defaultdict(dict)
    for key, on in direct.items():
        for pool, cost in on.items():
            if cost < 0:
                raise ValueError(f"direct cost of {key!r} is {cost}; accepted: 0 or more")
            on_pool[pool][key] = cost
    of: dict[K, Ticks] = dict.fromkeys(direct, Fraction(0))
    whole = sum(idle.values(), Fraction(0))
    if rule is Sharing.OWNER:
        if owner is None:
            raise ValueError("sharing is owner, owner is missing; accepted: who bears it")
        return Shares({**of, owner: whole}, Fraction(0))
    if rule is Sharing.SEPARATE:
        return Shares(of, whole)
    apart: Ticks = Fraction(0)
    for pool, cost in idle.items():
        shares = on_pool[pool]
        if rule is Sharing.EVEN:
            shares = dict.fromkeys(shares, 1)
        total = sum(shares.values(), Fraction(0))
        if not total:
            apart += cost
            continue
        per_share = Fraction(cost) / total
        for key, share in shares.items():
            of[key] += share * per_share
    return Shares(of, apart)
