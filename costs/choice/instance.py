"""The cheapest instance that meets what a model needs, for a load, within its latency target.

How many requests an instance answers within the target is declared for each type: measured, or
scaled from a measurement and then marked as estimated. What is chosen is as good as these rates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from costs.checks import Number, check_names, check_number, check_whole
from costs.choice.shortfall import Shortfall
from costs.price import Machine

SECONDS_PER_HOUR = 3_600
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Candidate:
    """A machine on offer. Memory of an accelerator is that of each of them.

    None is what is not known: whoever requires it does not get this machine. `available` is how
    many can be had, None for as many as one likes. Raises ValueError for impossible values.
    """

    machine: Machine
    micro_usd_per_hour: Number
    vcpus: int
    memory_bytes: int
    accelerator: str | None = None
    accelerator_count: int = 0
    accelerator_memory_bytes: int | None = None
    arch: str | None = None
    available: int | None = None

    def __post_init__(self) -> None:
        where = f"{self.machine}: "
        check_number(f"{where}micro_usd_per_hour", self.micro_usd_per_hour)
        check_whole(f"{where}vcpus", self.vcpus, least=1)
        check_whole(f"{where}memory_bytes", self.memory_bytes, least=1)
        check_whole(f"{where}accelerator_count", self.accelerator_count)
        if (self.accelerator is None) != (self.accelerator_count == 0):
            raise ValueError(
                f"{where}accelerator is {self.accelerator!r}, accelerator_count is "
                f"{self.accelerator_count}; accepted: both, or None and 0"
            )
        for field in ("accelerator_memory_bytes", "available"):
            if getattr(self, field) is not None:
                check_whole(where + field, getattr(self, field))


@dataclass(frozen=True)
class ServiceRate:
    """Requests per second that one instance answers within the latency target, 0 for none.

    `estimated` says that it was not measured on such an instance, `basis` where it is from.
    """

    requests_per_s: Number
    basis: str
    estimated: bool = False

    def __post_init__(self) -> None:
        check_number("requests_per_s", self.requests_per_s)


@dataclass(frozen=True)
class Needs:
    """What each instance must have, whatever the load; the defaults require nothing.

    `accelerators` and `archs` are names of which one will do.
    """

    vcpus: int = 0
    memory_bytes: int = 0
    accelerators: tuple[str, ...] = ()
    accelerator_count: int = 0
    accelerator_memory_bytes: int = 0
    archs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("vcpus", "memory_bytes", "accelerator_count", "accelerator_memory_bytes"):
            check_whole(field, getattr(self, field))
        check_names("accelerators", self.accelerators)
        check_names("archs", self.archs)


@dataclass(frozen=True)
class Load:
    """Requests per second: at the peak, which instances must be enough for, and on average.

    `spare` instances are added, so that as many may fail at the peak.
    """

    peak_per_s: Number
    mean_per_s: Number
    spare: int = 0

    def __post_init__(self) -> None:
        check_number("peak_per_s", self.peak_per_s, positive=True)
        check_number("mean_per_s", self.mean_per_s, positive=True, most=self.peak_per_s)
        check_whole("spare", self.spare)


@dataclass(frozen=True)
class InstanceChoice:
    """A candidate with what it takes and costs to carry the load, and why it may not be chosen.

    The figures are None where its rate is not known or 0. `shortfalls` is empty for one that will
    do. Costs are exact micro-USD.
    """

    candidate: Candidate
    instances: int | None
    micro_usd_per_hour: Fraction | None
    micro_usd_per_1000_requests: Fraction | None
    estimated: bool
    shortfalls: tuple[Shortfall, ...]

    @property
    def accepted(self) -> bool:
        """Whether it meets every requirement."""
        return not self.shortfalls


def rank_instances(
    candidates: Iterable[Candidate],
    rates: Mapping[str, ServiceRate],
    needs: Needs,
    load: Load,
) -> list[InstanceChoice]:
    """Return every candidate: first those that will do, cheapest hour first, then the others.

    `rates` are by instance type. Of equal costs fewer instances come first. Raises ValueError for a
    machine that is there twice.
    """
    seen: set[Machine] = set()
    ranked = []
    for candidate in candidates:
        if candidate.machine in seen:
            raise ValueError(f"machine is {candidate.machine} twice; accepted: each once")
        seen.add(candidate.machine)
        rate = rates.get(candidate.machine.instance_type)
        ranked.append(_choice(candidate, rate, needs, load))
    return sorted(ranked, key=_rank)


def scaled_rate(measured: ServiceRate, on: Candidate, to: Candidate) -> ServiceRate:
    """Return the rate of `to`, in proportion to CPUs, or to accelerators where they are the same.

    It is an estimate: memory bandwidth and caches do not grow in proportion, so measure what is
    chosen. Raises ValueError where the accelerators differ, or the known architectures of the CPUs:
    no proportion tells anything of another kind.
    """
    if on.arch and to.arch and on.arch != to.arch:
        raise ValueError(f"arch is {to.arch!r}, measured on {on.arch!r}; accepted: the same")
    if on.accelerator != to.accelerator:
        raise ValueError(
            f"accelerator is {to.accelerator!r}, measured on {on.accelerator!r}; "
            "accepted: the same, since others have no common measure"
        )
    if on.accelerator is None:
        share = Fraction(to.vcpus, on.vcpus)
    else:
        share = Fraction(to.accelerator_count, on.accelerator_count)
    kind = on.machine.instance_type
    return ServiceRate(measured.requests_per_s * share, f"scaled from {kind}", estimated=True)


def _choice(
    candidate: Candidate, rate: ServiceRate | None, needs: Needs, load: Load
) -> InstanceChoice:
    shortfalls = _shortfalls(candidate, needs)
    if rate is None:
        shortfalls.append(Shortfall("service rate", UNKNOWN, "measured or scaled"))
    elif not rate.requests_per_s:
        shortfalls.append(Shortfall("requests_per_s", 0, "above 0 within the latency target"))
    if rate is None or not rate.requests_per_s:
        return InstanceChoice(candidate, None, None, None, False, tuple(shortfalls))
    instances = ceil(Fraction(load.peak_per_s) / rate.requests_per_s) + load.spare
    if candidate.available is not None and instances > candidate.available:
        shortfalls.append(Shortfall("available", candidate.available, f"{instances} or more"))
    per_hour = Fraction(candidate.micro_usd_per_hour) * instances
    return InstanceChoice(
        candidate=candidate,
        instances=instances,
        micro_usd_per_hour=per_hour,
        micro_usd_per_1000_requests=per_hour * 1000 / (load.mean_per_s * SECONDS_PER_HOUR),
        estimated=rate.estimated,
        shortfalls=tuple(shortfalls),
    )


def _shortfalls(candidate: Candidate, needs: Needs) -> list[Shortfall]:
    found = []
    for field in ("vcpus", "memory_bytes", "accelerator_count", "accelerator_memory_bytes"):
        value, required = getattr(candidate, field), getattr(needs, field)
        if required and (value is None or value < required):
            found.append(
                Shortfall(field, UNKNOWN if value is None else value, f"{required} or more")
            )
    names = ("accelerator", needs.accelerators), ("arch", needs.archs)
    for field, accepted in names:
        value = getattr(candidate, field)
        if accepted and value not in accepted:
            none = "none" if field == "accelerator" else UNKNOWN
            found.append(Shortfall(field, value or none, " or ".join(accepted)))
    return found


def _rank(choice: InstanceChoice) -> tuple[bool, bool, Fraction, int, Machine]:
    cost, instances = choice.micro_usd_per_hour, choice.instances
    return (
        not choice.accepted,
        cost is None,
        Fraction(0) if cost is None else cost,
        instances or 0,
        choice.candidate.machine,
    )
