"""What regions are chosen for: users and how far they are, what they ask for, where it may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from costs.checks import Number, check_names, check_number, check_text, check_whole

Pair = tuple[str, str]
"""From a region, to another; or from a client region to one that serves."""


class Statistic(StrEnum):
    """Which of two latency figures: they are never compared with each other."""

    P50 = "p50"
    P95 = "p95"


@dataclass(frozen=True)
class Latency:
    """The round trip between two regions in microseconds; None for a figure that is not known."""

    p50_us: int | None = None
    p95_us: int | None = None

    def __post_init__(self) -> None:
        for field in ("p50_us", "p95_us"):
            if getattr(self, field) is not None:
                check_whole(field, getattr(self, field))

    def figure(self, statistic: Statistic) -> int | None:
        """Return the figure of that name, None where it is not known."""
        return self.p50_us if statistic is Statistic.P50 else self.p95_us


@dataclass(frozen=True)
class LatencyBound:
    """At least `share` of the requests must come from where the round trip is `within_us`.

    `statistic` says of which figure; the round trip adds to what the model takes.
    """

    within_us: int
    share: Number
    statistic: Statistic

    def __post_init__(self) -> None:
        check_whole("within_us", self.within_us)
        check_number("share", self.share, most=1)


@dataclass(frozen=True)
class Users:
    """Requests from one client region, as a weight: any unit that is the same for all.

    `allowed` are the regions that may serve them (by law or contract), None for any.
    """

    region: str
    weight: Number
    allowed: frozenset[str] | None = None

    def __post_init__(self) -> None:
        check_text("users region", self.region)
        check_number(f"users {self.region}: weight", self.weight)
        check_names(f"users {self.region}: allowed", self.allowed)


@dataclass(frozen=True)
class Site:
    """A region that may serve, with its prices in micro-USD and what one machine there answers.

    `machine_requests_per_s` is within the latency target of the model. A GB is 10^9 bytes, a month
    730 hours. Prices are those of the first tier: volume discounts are not counted. A price of
    storage that is None is not known, and a site without one keeps nothing.
    """

    region: str
    machine_micro_usd_per_hour: Number
    machine_requests_per_s: Number
    egress_micro_usd_per_gb: Number
    storage_micro_usd_per_gb_month: Number | None = None

    def __post_init__(self) -> None:
        check_text("site region", self.region)
        where = f"site {self.region}: "
        check_number(f"{where}machine_micro_usd_per_hour", self.machine_micro_usd_per_hour)
        check_number(f"{where}machine_requests_per_s", self.machine_requests_per_s, positive=True)
        check_number(f"{where}egress_micro_usd_per_gb", self.egress_micro_usd_per_gb)
        if self.storage_micro_usd_per_gb_month is not None:
            field = "storage_micro_usd_per_gb_month"
            check_number(where + field, self.storage_micro_usd_per_gb_month)


@dataclass(frozen=True)
class Demand:
    """What all users together ask for.

    Machines of a region must be enough for its part of `peak_per_s`, with `spare` more in each.
    `response_bytes` is the mean answer. `stored_bytes` lie in every region that serves, and
    `replicated_bytes_per_month` of them change: they are written in one and copied to the others.
    """

    peak_per_s: Number
    mean_per_s: Number
    response_bytes: Number
    stored_bytes: Number = 0
    replicated_bytes_per_month: Number = 0
    spare: int = 0

    def __post_init__(self) -> None:
        check_number("peak_per_s", self.peak_per_s, positive=True)
        check_number("mean_per_s", self.mean_per_s, positive=True, most=self.peak_per_s)
        for field in ("response_bytes", "stored_bytes", "replicated_bytes_per_month"):
            check_number(field, getattr(self, field))
        check_whole("spare", self.spare)


@dataclass(frozen=True)
class RegionQuestion:
    """Everything that a choice of regions depends on.

    `latencies` are by (client region, serving region), `transfers` by (from, to) serving regions in
    micro-USD per GB; what is missing is not known, and neither zero nor free. Only of the round
    trip within a region it is known that it takes no longer than that to any other. `allowed` are
    the regions that may serve at all, None for any. Raises ValueError for regions that are there
    twice, none at all, users without any weight, and a transfer price that is no amount.
    """

    sites: Sequence[Site]
    users: Sequence[Users]
    demand: Demand
    latencies: Mapping[Pair, Latency]
    transfers: Mapping[Pair, Number]
    bound: LatencyBound | None = None
    allowed: frozenset[str] | None = None

    def __post_init__(self) -> None:
        check_names("allowed", self.allowed)
        for field in ("sites", "users"):
            names = [each.region for each in getattr(self, field)]
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{field} are {names}; accepted: one or more, each region once")
        if not any(users.weight for users in self.users):
            raise ValueError("weight is 0 for all users; accepted: above 0 for some of them")
        for (from_region, to), price in self.transfers.items():
            check_number(f"transfer from {from_region} to {to}", price)

    @property
    def statistic(self) -> Statistic:
        """Which figure says who is nearest: that of the bound, the median without one."""
        return Statistic.P50 if self.bound is None else self.bound.statistic

    def latency_us(self, client: str, region: str) -> int | None:
        """Return the round trip in microseconds, None where it is not known."""
        return self._latencies_us.get((client, region))

    @cached_property
    def _latencies_us(self) -> Mapping[Pair, int]:
        known = {pair: each.figure(self.statistic) for pair, each in self.latencies.items()}
        found = {pair: us for pair, us in known.items() if us is not None}
        nearest: dict[Pair, int] = {}
        for (client, _), us in found.items():
            nearest[client, client] = min(us, nearest.get((client, client), us))
        return nearest | found

    def shares(self) -> dict[str, Fraction]:
        """Return the part of all requests that comes from each client region with any."""
        whole = sum((Fraction(users.weight) for users in self.users), Fraction(0))
        return {users.region: users.weight / whole for users in self.users if users.weight}
