"""The cheapest region, or set of regions, within latency for where users are.

Exact: every set of up to k regions is worked out. Of n regions these are n + n(n-1)/2 + ... sets,
for 30 regions 465 pairs and smaller and 4,525 triples and smaller; above `MOST_SETS` the question
is refused, so narrow the regions first, by the allow-list for example.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil, comb

from costs.checks import check_whole
from costs.choice.demand import RegionQuestion, Site
from costs.choice.offers import HOURS_PER_MONTH
from costs.choice.routing import route
from costs.choice.shortfall import Shortfall
from costs.prices.units import GB

SECONDS_PER_HOUR = 3_600
MOST_SETS = 20_000


@dataclass(frozen=True)
class RegionCost:
    """Micro-USD per hour by what it is paid for, exact."""

    compute: Fraction
    transfer: Fraction
    storage: Fraction
    replication: Fraction

    @property
    def total(self) -> Fraction:
        """All of it."""
        return self.compute + self.transfer + self.storage + self.replication


@dataclass(frozen=True)
class RegionPlan:
    """A set of regions that serves all users, each from the nearest one that is allowed to.

    `serves` names the region for each client region, `machines` their number for each region.
    `within_share` is the part of the requests known to be within the bound, None without one.
    `unknown` are client regions whose round trip to all regions of the set is unknown: they count
    as beyond the bound. `copied_from` is the region whose data the
    others copy, None where nothing is copied. `cost` is None where a price is missing, or somebody
    may be served by none of the regions. `shortfalls` is empty for a plan that will do.
    """

    regions: tuple[str, ...]
    serves: Mapping[str, str]
    machines: Mapping[str, int]
    cost: RegionCost | None
    within_share: Fraction | None
    unknown: tuple[str, ...]
    copied_from: str | None
    shortfalls: tuple[Shortfall, ...]

    @property
    def accepted(self) -> bool:
        """Whether it meets every requirement."""
        return not self.shortfalls


def rank_regions(question: RegionQuestion, at_most: int = 1) -> list[RegionPlan]:
    """Return plans of up to `at_most` regions: those that will do, cheapest first, then the others.

    Every single region is among them. A set of several is left out where one of them would serve
    nobody, or may not serve at all. Raises ValueError for more than MOST_SETS sets.
    """
    check_whole("at_most", at_most, least=1)
    sites = {site.region: site for site in question.sites}
    may = [r for r in sites if question.allowed is None or r in question.allowed]
    at_most = min(at_most, len(may))
    count = sum(comb(len(may), size) for size in range(1, at_most + 1))
    if count > MOST_SETS:
        raise ValueError(
            f"at_most is {at_most} of {len(may)} regions, which are {count} sets; accepted: "
            f"at most {MOST_SETS} sets"
        )
    shares = question.shares()
    plans = [_plan(question, sites, shares, (region,)) for region in sites]
    for size in range(2, at_most + 1):
        for regions in combinations(may, size):
            plan = _plan(question, sites, shares, regions)
            if len(set(plan.serves.values())) == size:
                plans.append(plan)
    return sorted(plans, key=_rank)


def _plan(
    question: RegionQuestion,
    sites: Mapping[str, Site],
    shares: Mapping[str, Fraction],
    regions: tuple[str, ...],
) -> RegionPlan:
    routing = route(question, shares, regions)
    shortfalls = [*routing.shortfalls, *_not_allowed(question, regions)]
    served = routing.share_of
    machines = {r: _machines(question, sites[r], part) for r, part in served.items() if part}
    origin, copying = _replication(question, regions)
    if copying is None:
        shortfalls.append(
            Shortfall("transfer price", "unknown", f"known among {', '.join(regions)}")
        )
    keeping = _storage(question, sites, regions)
    if keeping is None:
        lacking = [r for r in regions if sites[r].storage_micro_usd_per_gb_month is None]
        shortfalls.append(Shortfall("storage price", "unknown", f"known in {', '.join(lacking)}"))
    everybody = len(routing.serves) == len(shares)
    return RegionPlan(
        regions=regions,
        serves=routing.serves,
        machines=machines,
        cost=_cost(question, sites, served, machines, keeping, copying) if everybody else None,
        within_share=routing.within_share,
        unknown=routing.unknown,
        copied_from=origin,
        shortfalls=tuple(shortfalls),
    )


def _not_allowed(question: RegionQuestion, regions: tuple[str, ...]) -> Iterator[Shortfall]:
    if question.allowed is None:
        return
    accepted = " or ".join(sorted(question.allowed)) or "none"
    for region in regions:
        if region not in question.allowed:
            yield Shortfall("region", region, accepted)


def _machines(question: RegionQuestion, site: Site, share: Fraction) -> int:
    peak = share * question.demand.peak_per_s
    return ceil(peak / site.machine_requests_per_s) + question.demand.spare


def _replication(
    question: RegionQuestion, regions: tuple[str, ...]
) -> tuple[str | None, Fraction | None]:
    """Return from where the others copy at the least cost, and that cost in micro-USD per hour.

    The cost is None where something is copied and no region has a known price to all others.
    """
    gb = Fraction(question.demand.replicated_bytes_per_month) / GB / HOURS_PER_MONTH
    if len(regions) == 1 or not gb:
        return None, Fraction(0)
    best: tuple[str | None, Fraction | None] = None, None
    for origin in regions:
        prices = [question.transfers.get((origin, to)) for to in regions if to != origin]
        known = [Fraction(price) for price in prices if price is not None]
        if len(known) < len(prices):
            continue
        cost = gb * sum(known, Fraction(0))
        if best[1] is None or cost < best[1]:
            best = origin, cost
    return best


def _storage(
    question: RegionQuestion, sites: Mapping[str, Site], regions: tuple[str, ...]
) -> Fraction | None:
    """Return micro-USD per hour for what every region keeps; None where a price is not known."""
    gb = Fraction(question.demand.stored_bytes) / GB / HOURS_PER_MONTH
    cost = Fraction(0)
    for region in regions if gb else ():
        price = sites[region].storage_micro_usd_per_gb_month
        if price is None:
            return None
        cost += gb * price
    return cost


def _cost(
    question: RegionQuestion,
    sites: Mapping[str, Site],
    served: Mapping[str, Fraction],
    machines: Mapping[str, int],
    keeping: Fraction | None,
    copying: Fraction | None,
) -> RegionCost | None:
    if keeping is None or copying is None:
        return None
    demand, zero = question.demand, Fraction(0)
    sent_gb = Fraction(demand.mean_per_s) * SECONDS_PER_HOUR * demand.response_bytes / GB
    return RegionCost(
        compute=sum(
            (Fraction(sites[r].machine_micro_usd_per_hour) * n for r, n in machines.items()), zero
        ),
        transfer=sum(
            (sent_gb * part * sites[r].egress_micro_usd_per_gb for r, part in served.items()), zero
        ),
        storage=keeping,
        replication=copying,
    )


def _rank(plan: RegionPlan) -> tuple[bool, bool, Fraction, int, tuple[str, ...]]:
    return (
        not plan.accepted,
        plan.cost is None,
        Fraction(0) if plan.cost is None else plan.cost.total,
        len(plan.regions),
        plan.regions,
    )
