"""The cheapest regions within latency of where users are."""

from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, product
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.choice import (
    Demand,
    Latency,
    LatencyBound,
    RegionPlan,
    RegionQuestion,
    Site,
    Statistic,
    Users,
    rank_regions,
)

MS = 1000
HOME = Site("home", 200_000, 100, egress_micro_usd_per_gb=90_000,
            storage_micro_usd_per_gb_month=73_000)  # fmt: skip
CHEAP = Site("cheap", 100_000, 100, 120_000, 73_000)
USERS = [Users("north", 3), Users("south", 1)]
DEMAND = Demand(peak_per_s=400, mean_per_s=100, response_bytes=10_000, stored_bytes=20 * 10**9,
                replicated_bytes_per_month=73 * 10**9)  # fmt: skip
LATENCIES = {
    ("north", "home"): Latency(20 * MS, 30 * MS),
    ("south", "home"): Latency(150 * MS, 200 * MS),
    ("north", "cheap"): Latency(120 * MS, 180 * MS),
    ("south", "cheap"): Latency(10 * MS, 15 * MS),
}
TRANSFERS = {("home", "cheap"): 20_000, ("cheap", "home"): 30_000}
QUESTION = RegionQuestion([HOME, CHEAP], USERS, DEMAND, LATENCIES, TRANSFERS)


def plan(plans: list[RegionPlan], *regions: str) -> RegionPlan:
    return next(p for p in plans if p.regions == regions)


def test_a_single_region_costs_machines_answers_and_storage() -> None:
    first, second = rank_regions(QUESTION)
    assert (first.regions, second.regions) == (("cheap",), ("home",))
    # 400 requests per second on machines of 100. 100 per second x 10 kB are 3.6 GB an hour.
    # 20 GB for a month at 0.073 USD are 0.002 USD an hour of 730.
    assert second.machines == {"home": 4}
    assert second.cost is not None
    assert second.cost.compute == 4 * 200_000
    assert second.cost.transfer == Fraction(36, 10) * 90_000
    assert second.cost.storage == 2_000
    assert second.cost.replication == 0
    assert second.cost.total == 800_000 + 324_000 + 2_000
    assert first.within_share is None


def test_two_regions_serve_those_who_are_near_and_one_copies_from_the_other() -> None:
    both = plan(rank_regions(QUESTION, at_most=2), "home", "cheap")
    assert both.serves == {"north": "home", "south": "cheap"}
    assert both.machines == {"home": 3, "cheap": 1}
    assert both.cost is not None
    assert both.cost.compute == 3 * 200_000 + 100_000
    assert both.cost.transfer == Fraction(27, 10) * 90_000 + Fraction(9, 10) * 120_000
    assert both.cost.storage == 2 * 2_000
    # 73 GB a month are 0.1 GB an hour, cheaper from home to cheap than back.
    assert (both.copied_from, both.cost.replication) == ("home", Fraction(2_000))


def test_the_bound_holds_for_a_share_of_the_requests() -> None:
    def first(share: Fraction, at_most: int = 1) -> RegionPlan:
        bound = LatencyBound(100 * MS, share, Statistic.P50)
        return rank_regions(replace(QUESTION, bound=bound), at_most)[0]

    assert first(Fraction(1, 4)).regions == ("cheap",)
    assert first(Fraction(3, 4)).regions == ("home",)
    assert first(Fraction(1, 4), at_most=2).regions == ("cheap",)
    # 700,000 + 351,000 + 4,000 + 2,000 are less than the 1,126,000 of home alone.
    assert first(Fraction(3, 4), at_most=2).regions == ("home", "cheap")
    assert not first(Fraction(1)).accepted
    assert first(Fraction(1), at_most=2).within_share == 1


def test_a_region_that_is_too_far_says_by_how_much() -> None:
    bound = LatencyBound(100 * MS, Fraction(9, 10), Statistic.P95)
    plans = rank_regions(replace(QUESTION, bound=bound))
    assert not any(p.accepted for p in plans)
    (reason,) = plan(plans, "home").shortfalls
    assert str(reason) == (
        "share of requests within 100000 us at p95 is 0.75; required: 0.9 or more"
    )
    assert plan(plans, "home").cost is not None, "what it would cost is told all the same"


def test_an_unknown_latency_is_neither_zero_nor_within_the_bound() -> None:
    known = {pair: found for pair, found in LATENCIES.items() if pair[0] != "south"}
    bound = LatencyBound(100 * MS, Fraction(9, 10), Statistic.P50)
    home = plan(rank_regions(replace(QUESTION, latencies=known, bound=bound)), "home")
    assert home.unknown == ("south",)
    assert home.serves["south"] == "home"
    assert home.within_share == Fraction(3, 4)
    assert str(home.shortfalls[0]).endswith("0.9 or more (latency unknown for 0.25: south)")


def test_a_median_is_not_taken_for_a_95th_percentile() -> None:
    medians = {pair: Latency(p50_us=found.p50_us) for pair, found in LATENCIES.items()}
    bound = LatencyBound(100 * MS, Fraction(1, 10), Statistic.P95)
    plans = rank_regions(replace(QUESTION, latencies=medians, bound=bound))
    assert [p.unknown for p in plans] == [("north", "south")] * 2
    assert [p.within_share for p in plans] == [0, 0]


def test_users_of_unknown_latency_go_where_most_others_go() -> None:
    users = [*USERS, Users("nowhere", 1)]
    both = plan(rank_regions(replace(QUESTION, users=users), at_most=2), "home", "cheap")
    assert both.serves["nowhere"] == "home"


def test_users_in_a_region_that_serves_stay_in_it_though_nobody_measured_the_way() -> None:
    users = [Users("home", 1), Users("cheap", 1)]
    between = {("home", "cheap"): Latency(70 * MS), ("cheap", "home"): Latency(60 * MS)}
    question = replace(QUESTION, users=users, latencies=between)
    near = LatencyBound(70 * MS, 1, Statistic.P50)
    both = plan(rank_regions(replace(question, bound=near), at_most=2), "home", "cheap")
    assert both.serves == {"home": "home", "cheap": "cheap"}
    assert both.within_share == 1, "it is no farther than to the other region"
    nearer = replace(near, within_us=65 * MS)
    both = plan(rank_regions(replace(question, bound=nearer), at_most=2), "home", "cheap")
    assert both.within_share == Fraction(1, 2), "whether it is within 65 ms is not known"
    nowhere = plan(rank_regions(replace(question, latencies={}), at_most=2), "home", "cheap")
    assert nowhere.serves == both.serves
    assert nowhere.unknown == ("home", "cheap")


def test_a_region_outside_the_allow_list_is_told_and_in_no_set() -> None:
    plans = rank_regions(replace(QUESTION, allowed=frozenset({"home"})), at_most=2)
    assert [p.regions for p in plans] == [("home",), ("cheap",)]
    assert [str(s) for s in plans[1].shortfalls] == ["region is cheap; required: home"]


def test_users_who_may_be_served_in_some_regions_only_go_to_the_nearest_of_these() -> None:
    users = [Users("north", 3, frozenset({"cheap"})), Users("south", 1)]
    plans = rank_regions(replace(QUESTION, users=users), at_most=2)
    home = plan(plans, "home")
    assert [str(s) for s in home.shortfalls] == [
        "region for users in north is home; required: cheap"
    ]
    assert home.cost is None
    assert plan(plans, "cheap").accepted
    assert not [p for p in plans if len(p.regions) == 2], "home would serve nobody"


def test_copying_at_an_unknown_price_is_a_shortfall_and_no_gift() -> None:
    both = plan(rank_regions(replace(QUESTION, transfers={}), at_most=2), "home", "cheap")
    assert [str(s) for s in both.shortfalls] == [
        "transfer price is unknown; required: known among home, cheap"
    ]
    assert both.cost is None


def test_who_copies_nothing_needs_no_price_for_it() -> None:
    question = replace(QUESTION, transfers={}, demand=replace(DEMAND, replicated_bytes_per_month=0))
    both = plan(rank_regions(question, at_most=2), "home", "cheap")
    assert both.accepted
    assert both.copied_from is None
    assert both.cost is not None
    assert both.cost.replication == 0


def test_keeping_at_an_unknown_price_is_a_shortfall_where_something_is_kept() -> None:
    sites = [HOME, replace(CHEAP, storage_micro_usd_per_gb_month=None)]
    cheap = plan(rank_regions(replace(QUESTION, sites=sites)), "cheap")
    assert [str(s) for s in cheap.shortfalls] == [
        "storage price is unknown; required: known in cheap"
    ]
    assert cheap.cost is None
    nothing = replace(DEMAND, stored_bytes=0, replicated_bytes_per_month=0)
    assert rank_regions(replace(QUESTION, sites=sites, demand=nothing))[0].regions == ("cheap",)


def test_spare_machines_stand_in_every_region_that_serves() -> None:
    demand = replace(DEMAND, spare=1)
    both = plan(rank_regions(replace(QUESTION, demand=demand), at_most=2), "home", "cheap")
    assert both.machines == {"home": 4, "cheap": 2}


NAMES = ("a", "b", "c", "d")
CLIENTS = ("x", "b", "z")
PRICES = st.integers(0, 10**6)
FIGURES = st.one_of(st.none(), st.builds(Latency, st.integers(0, 5), st.integers(0, 5)))


@st.composite
def questions(draw: st.DrawFn) -> RegionQuestion:
    some = st.one_of(st.none(), st.frozensets(st.sampled_from(NAMES)))
    figures = {pair: draw(FIGURES) for pair in product(CLIENTS, NAMES)}
    prices = {pair: draw(st.one_of(st.none(), PRICES)) for pair in product(NAMES, NAMES)}
    return RegionQuestion(
        sites=[
            Site(name, draw(PRICES), draw(st.integers(1, 9)), draw(PRICES), draw(PRICES))
            for name in NAMES
        ],
        users=[Users(c, draw(st.integers(n == 0, 9)), draw(some)) for n, c in enumerate(CLIENTS)],
        demand=Demand(
            peak_per_s=draw(st.integers(9, 99)),
            mean_per_s=9,
            response_bytes=10**6,
            stored_bytes=10**9,
            replicated_bytes_per_month=draw(st.sampled_from([0, 10**10])),
            spare=draw(st.integers(0, 1)),
        ),
        latencies={pair: found for pair, found in figures.items() if found},
        transfers={pair: price for pair, price in prices.items() if price is not None},
        bound=LatencyBound(
            draw(st.integers(0, 5)), draw(st.fractions(0, 1)), draw(st.sampled_from(Statistic))
        ),
        allowed=draw(some),
    )


def cost_by_hand(q: RegionQuestion, regions: tuple[str, ...]) -> Fraction | None:
    """Return what a set costs per hour, None where it will not do."""
    assert q.bound is not None
    if q.allowed is not None and not set(regions) <= q.allowed:
        return None
    weight = sum((Fraction(u.weight) for u in q.users), Fraction(0))
    share = dict.fromkeys(regions, Fraction(0))
    within = Fraction(0)
    lost: list[tuple[list[str], Fraction]] = []
    for users in q.users:
        part = users.weight / weight
        may = [r for r in regions if users.allowed is None or r in users.allowed]
        if not part:
            continue
        if not may:
            return None
        known: dict[str, int] = {
            r: getattr(q.latencies[users.region, r], f"{q.bound.statistic}_us")
            for r in may
            if (users.region, r) in q.latencies
        }
        own = [users.region] if users.region in may else []
        if own and own[0] not in known:
            others = [f for (client, _), f in q.latencies.items() if client == users.region]
            if others:
                known |= {own[0]: min(getattr(f, f"{q.bound.statistic}_us") for f in others)}
        if not known:
            lost.append((own or may, part))
            continue
        near = sorted(known, key=lambda r: (known[r], r not in own, regions.index(r)))[0]
        share[near] += part
        within += part if known[near] <= q.bound.within_us else 0
    most = dict(share)
    for may, part in lost:
        share[sorted(may, key=lambda r: (-most[r], regions.index(r)))[0]] += part
    if within < q.bound.share or (len(regions) > 1 and not all(share.values())):
        return None
    copies = [
        sum((Fraction(q.transfers[one, to]) for to in regions if to != one), Fraction(0))
        for one in regions
        if all((one, to) in q.transfers for to in regions if to != one)
    ]
    copied_gb = Fraction(q.demand.replicated_bytes_per_month) / 10**9
    if copied_gb and not copies:
        return None
    cost = min(copies) * copied_gb / 730 if copied_gb else Fraction(0)
    for site in q.sites:
        if site.region in regions:
            cost += Fraction(site.storage_micro_usd_per_gb_month or 0) / 730
            cost += share[site.region] * 9 * 3600 * 10**6 * site.egress_micro_usd_per_gb / 10**9
            if share[site.region]:
                peak = share[site.region] * q.demand.peak_per_s
                count = ceil(peak / site.machine_requests_per_s) + q.demand.spare
                cost += count * site.machine_micro_usd_per_hour
    return cost


@given(question=questions(), at_most=st.integers(1, 4))
def test_no_set_that_will_do_is_cheaper_than_the_first(
    question: RegionQuestion, at_most: int
) -> None:
    plans = rank_regions(question, at_most)
    sets = chain.from_iterable(combinations(NAMES, size) for size in range(1, at_most + 1))
    costs = [cost for regions in sets if (cost := cost_by_hand(question, regions)) is not None]
    accepted = [p for p in plans if p.accepted]
    assert bool(accepted) == bool(costs)
    if accepted:
        assert accepted[0].cost is not None
        assert accepted[0].cost.total == min(costs)
    for found in accepted:
        assert found.cost is not None
        assert found.cost.total == cost_by_hand(question, found.regions)
    assert {p.regions for p in plans} >= {(name,) for name in NAMES}


def test_more_sets_than_can_be_worked_out_are_refused() -> None:
    sites = [replace(HOME, region=f"r{n}") for n in range(60)]
    with pytest.raises(ValueError, match="at_most is 3 of 60 regions, which are 36050 sets; acc"):
        rank_regions(replace(QUESTION, sites=sites), at_most=3)
    assert len(rank_regions(QUESTION, at_most=10**18)) == 3, "there are no more than two regions"
    allowed = frozenset(f"r{n}" for n in range(5))
    assert rank_regions(replace(QUESTION, sites=sites, allowed=allowed), at_most=3)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: replace(QUESTION, sites=[]), r"sites are \[\]; accepted: one or more"),
        (lambda: replace(QUESTION, sites=[HOME, HOME]), r"sites are \['home', 'home'\]"),
        (lambda: replace(QUESTION, users=[Users("x", 0)]), "weight is 0 for all users"),
        (lambda: replace(QUESTION, transfers={("a", "b"): -1}), "transfer from a to b is -1"),
        (lambda: Users("x", 1, "home"), "users x: allowed is 'home'; accepted: a tuple or a set"),  # type: ignore[arg-type]
        (lambda: replace(QUESTION, allowed="cheaper"), "allowed is 'cheaper'; accepted: a tuple"),  # type: ignore[arg-type]
        (lambda: Users("x", -1), "users x: weight is -1"),
        (lambda: replace(HOME, machine_requests_per_s=0), "home: machine_requests_per_s is 0"),
        (lambda: replace(DEMAND, mean_per_s=401), "mean_per_s is 401; .*at most 400"),
        (lambda: Latency(p95_us=-1), "p95_us is -1"),
        (lambda: LatencyBound(1, 2, Statistic.P50), "share is 2; .*at most 1"),
        (lambda: rank_regions(QUESTION, 0), "at_most is 0; accepted: a whole number, 1"),
    ],
)
def test_wrong_input_is_refused_by_name(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=complaint):
        make()
