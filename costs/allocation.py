"""From machine time and the time requests kept it busy to machine, direct and idle cost.

Source of the formulas: `docs/definitions.md`. A worker of a node with `w` workers ready owns 1/w of
the machine, a request owns items/batch_size of the worker while its batch executes, and what no
request owns is idle. All sums are exact; idle is what remains, so direct + idle == machine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from costs.money import Ticks
from costs.price import Machine

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

    @property
    def loading(self) -> Fraction:
        """Fully loaded cost per unit of direct cost: idle cost is shared in proportion to it.

        The direct costs of all slices, each times this, sum to the machine cost. Where nothing has
        direct cost there is nobody to share it with: 1, and idle cost stands apart.
        """
        return Fraction(self.machine) / self.direct if self.direct else Fraction(1)


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
