"""From machine time and the time requests kept it busy to machine, direct and idle cost.

Source of the formulas: `docs/definitions.md`. A worker of a node with `w` workers ready owns 1/w of
the machine, a request owns items/batch_size of the worker while its batch executes, and what no
request owns is idle. All sums are exact; idle is what remains, so direct + idle == machine.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from costs.money import Ticks
from costs.price import Machine

Slice = TypeVar("Slice", bound=Hashable)
Rate = Callable[[Machine, int], int]
"""(machine, instant in microseconds) -> micro-USD per hour."""


@dataclass(frozen=True)
class MachineTime:
    """How long machines of one kind ran; `priced_at_us` is an instant with their price."""

    machine: Machine
    priced_at_us: int
    uptime_us: int


@dataclass(frozen=True)
class BusyTime:
    """How long requests kept workers busy on machines of one kind.

    `item_us` is the sum over requests of batch execution time x items, all in batches of
    `batch_size` items; `uptime_us`/`capacity_us` is the share of the machine that one worker is
    (capacity = uptime x workers ready).
    """

    machine: Machine
    priced_at_us: int
    item_us: int
    batch_size: int
    uptime_us: int
    capacity_us: int


@dataclass(frozen=True)
class Cost:
    """Cost of a period or a slice of it, in ticks. `idle` is machine cost minus direct cost."""

    machine: Ticks
    direct: Ticks

    @property
    def idle(self) -> Ticks:
        """What was paid for and not used by a request."""
        return self.machine - self.direct


def machine_cost(times: Iterable[MachineTime], rate: Rate) -> int:
    """Return price x uptime, in ticks."""
    return sum(rate(t.machine, t.priced_at_us) * t.uptime_us for t in times)


def direct_cost(times: Iterable[BusyTime], rate: Rate) -> Fraction:
    """Return price x the machine time that requests own, in ticks."""
    # Integers are summed by denominator first: a Fraction per row would cost its gcd per row.
    by_denominator: dict[int, int] = {}
    for t in times:
        if t.item_us == 0:
            continue
        if t.batch_size < 1 or t.capacity_us < 1:
            raise ValueError(
                f"batch_size is {t.batch_size}, capacity_us is {t.capacity_us}; "
                "both must be 1 or more where a batch was executed"
            )
        share = Fraction(t.uptime_us, t.capacity_us * t.batch_size)
        ticks = rate(t.machine, t.priced_at_us) * t.item_us * share.numerator
        known = by_denominator.get(share.denominator, 0)
        by_denominator[share.denominator] = known + ticks
    return sum((Fraction(n, d) for d, n in by_denominator.items()), Fraction(0))


def fully_loaded(direct: dict[Slice, Ticks], idle: Ticks) -> dict[Slice, Fraction]:
    """Return direct cost plus idle cost shared in proportion to direct cost, per slice, in ticks.

    The results sum to all direct cost plus `idle`. Raises ZeroDivisionError when no slice has
    direct cost: then nobody used the machine and idle cost stands apart.
    """
    total = sum((Fraction(cost) for cost in direct.values()), Fraction(0))
    return {key: Fraction(cost) + Fraction(cost) * idle / total for key, cost in direct.items()}
