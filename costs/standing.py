"""What time alone costs: bytes at rest, services that hold answers, and promises to a provider.

All of it is linear in time: the cost of a period is the sum of those of its parts. The one
exception is a commitment, which is used or lost hour by hour: a period is split at full hours.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from costs.allocation import Rate
from costs.money import Ticks
from costs.month import DAY_US, Month, start_us
from costs.price import Machine
from costs.resources import CacheService, Commitment
from costs.transfer import BytePrice

HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class AtRest:
    """Bytes that lie somewhere from `from_us` on, until `to_us` where that is known.

    `price` is for a month; it is None where the catalogue's price counts.
    """

    name: str
    cloud: str
    region: str
    storage_class: str
    stored_bytes: int
    from_us: int
    to_us: int | None = None
    price: BytePrice | None = None


StorageRate = Callable[[str, str, str, int], BytePrice]
"""(cloud, region, storage class, instant in microseconds) -> price for a month."""


def storage_cost(
    stored: AtRest, rate: StorageRate, changes: Sequence[int], from_us: int, to_us: int
) -> Ticks:
    """Return what `stored` costs from `from_us` to `to_us`, in ticks.

    A GB-month is a GB from the first to the last instant of a calendar month (UTC), so a day costs
    more in February. `changes` are the instants (ascending) at which prices change.
    """
    begin = max(from_us, stored.from_us)
    end = to_us if stored.to_us is None else min(to_us, stored.to_us)
    cost: Ticks = Fraction(0)
    for start, stop, month_us in _pieces(begin, end, changes):
        price = stored.price or rate(stored.cloud, stored.region, stored.storage_class, start)
        cost += price.ticks(stored.stored_bytes) * Fraction(stop - start, month_us)
    return cost


def cache_cost(service: CacheService, from_us: int, to_us: int) -> int:
    """Return what `service` costs from `from_us` to `to_us`, in ticks."""
    begin = max(from_us, service.from_us)
    end = to_us if service.to_us is None else min(to_us, service.to_us)
    return service.micro_usd_per_hour * max(0, end - begin)


@dataclass(frozen=True)
class CommitmentUse:
    """How the commitments for machines of one kind were used, in machine-microseconds.

    `committed_us` was paid for, `covered_us` of it used; `excess_us` is what ran beyond it.
    `paid` is the cost of the commitments, `unused` the part of it that no machine used, `excess`
    what the time beyond costs more than its own price, since a provider bills it on demand; ticks.
    """

    machine: Machine
    committed_us: int | Fraction
    covered_us: int | Fraction
    excess_us: int | Fraction
    paid: Ticks
    unused: Ticks
    excess: Ticks

    def __add__(self, other: "CommitmentUse") -> "CommitmentUse":
        return CommitmentUse(
            self.machine,
            self.committed_us + other.committed_us,
            self.covered_us + other.covered_us,
            self.excess_us + other.excess_us,
            self.paid + other.paid,
            self.unused + other.unused,
            self.excess + other.excess,
        )

    def times(self, part: Fraction) -> "CommitmentUse":
        """Return `part` of this use, of a part of its time."""
        return CommitmentUse(
            self.machine,
            self.committed_us * part,
            self.covered_us * part,
            self.excess_us * part,
            self.paid * part,
            self.unused * part,
            self.excess * part,
        )


def commitment_use(
    commitments: Iterable[Commitment],
    ran_us: Mapping[tuple[Machine, int], int],
    rate: Rate,
    from_us: int,
    to_us: int,
) -> list[CommitmentUse]:
    """Return the use of commitments from `from_us` to `to_us`, by machine.

    `ran_us` is the uptime of reserved machines by (machine, beginning of the hour of day). `rate`
    gives the price at which that uptime is counted as machine cost, and the on-demand price: so
    machine cost of covered time + `unused` == `paid`, exactly. Machines without a commitment are
    left out. A period that ends within an hour counts that hour up to there, as its uptime does.
    """
    by_machine: dict[Machine, list[Commitment]] = {}
    for commitment in commitments:
        if commitment.from_us < to_us and commitment.to_us > from_us:
            by_machine.setdefault(commitment.machine, []).append(commitment)
    return [
        _use(machine, promised, ran_us, rate, from_us, to_us)
        for machine, promised in sorted(by_machine.items())
    ]


def _use(
    machine: Machine,
    promised: list[Commitment],
    ran_us: Mapping[tuple[Machine, int], int],
    rate: Rate,
    from_us: int,
    to_us: int,
) -> CommitmentUse:
    on_demand = Machine(machine.cloud, machine.region, machine.instance_type, "on_demand")
    committed = covered = beyond = 0
    paid: Ticks = Fraction(0)
    counted: Ticks = 0
    excess: Ticks = 0
    for start in range(from_us - from_us % HOUR_US, to_us, HOUR_US):
        begin, end = max(start, from_us), min(start + HOUR_US, to_us)
        room = 0
        for commitment in promised:
            active_us = min(end, commitment.to_us) - max(begin, commitment.from_us)
            if active_us > 0:
                room += commitment.count * active_us
                per_hour = commitment.effective_micro_usd_per_hour
                paid += per_hour * commitment.count * active_us
        ran = ran_us.get((machine, start), 0)
        used = min(room, ran)
        committed, covered, beyond = committed + room, covered + used, beyond + ran - used
        counted += rate(machine, start) * used
        if ran > used:
            # On demand is never cheaper in a contract that somebody signed; a catalogue may say so.
            excess += max(0, rate(on_demand, start) - rate(machine, start)) * (ran - used)
    return CommitmentUse(machine, committed, covered, beyond, paid, paid - counted, excess)


def _pieces(from_us: int, to_us: int, changes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, end, length of the month) of the pieces with one price in one month."""
    start = from_us
    while start < to_us:
        month = Month.at(start)
        stop = min(to_us, start_us(month.end_day), *(at for at in changes if at > start))
        yield start, stop, month.days * DAY_US
        start = stop
