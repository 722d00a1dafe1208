"""Choices filled from the shipped prices: what is known is used, what is not is named."""

from fractions import Fraction
from pathlib import Path

import pytest

from costs import Machine, PriceBook
from costs.choice import (
    Demand,
    LatencyBound,
    Load,
    Needs,
    RegionQuestion,
    ServiceRate,
    Statistic,
    Users,
    cheapest_mix,
    hourly_interruption,
    rank_instances,
    rank_regions,
)
from reports.choice import (
    candidates,
    latencies,
    reserved_offers,
    sites,
    spot_offer,
    transfers,
)
from reports.price_book import load_price_book

NOW_US = 1_795_000_000 * 10**6
GIB = 2**30
XLARGE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return load_price_book(Path(__file__).parents[3] / "data/prices")


def on_demand(book: PriceBook, cloud: str, *, region: str = "", kind: str = "") -> list[Machine]:
    return [
        m
        for m in book.machines.machines()
        if (m.cloud, m.purchase_option) == (cloud, "on_demand")
        and region in ("", m.region)
        and kind in ("", m.instance_type)
    ]


def test_machines_are_ranked_with_their_equipment_and_their_price(book: PriceBook) -> None:
    machines = on_demand(book, "aws", region="us-east-1")
    offered, unknown = candidates(book, machines, NOW_US)
    assert len(offered) + len(unknown) == len(machines) > 10
    needs = Needs(accelerators=("L4",), accelerator_memory_bytes=20 * GIB)
    rates = {each.machine.instance_type: ServiceRate(100, "declared") for each in offered}
    ranked = rank_instances(offered, rates, needs, Load(250, 100))
    first = ranked[0]
    assert (first.candidate.machine.instance_type, first.instances) == ("g6.xlarge", 3)
    price = book.machines.at(first.candidate.machine, NOW_US).micro_usd_per_hour
    assert first.micro_usd_per_hour == 3 * price
    assert any(not choice.accepted for choice in ranked)


def test_a_machine_that_no_file_describes_is_no_candidate(book: PriceBook) -> None:
    stranger = Machine("aws", "us-east-1", "x99.metal", "on_demand")
    offered, unknown = candidates(book, [XLARGE, stranger], NOW_US)
    assert [each.machine for each in offered] == [XLARGE]
    assert (offered[0].vcpus, offered[0].memory_bytes) == (4, 8 * GIB)
    assert unknown == [stranger]


def test_the_cheapest_region_for_users_on_two_continents(book: PriceBook) -> None:
    machines = on_demand(book, "aws", kind="c7i.xlarge")
    found = sites(book, machines, 50, "block_balanced", NOW_US)
    assert len(found.sites) + len(found.missing) == len(machines)
    assert all("no price for" in why for why in found.missing.values())
    names = [site.region for site in found.sites]
    assert {"us-east-1", "eu-central-1"} <= set(names)
    question = RegionQuestion(
        sites=found.sites,
        users=[Users("us-east-1", 6), Users("eu-central-1", 4)],
        demand=Demand(200, 80, 2_000, stored_bytes=10**9, replicated_bytes_per_month=10**9),
        latencies=latencies(book, "aws"),
        transfers=transfers(book, "aws", names, NOW_US),
        bound=LatencyBound(30_000, 1, Statistic.P50),
    )
    assert not any(plan.accepted for plan in rank_regions(question))
    first = rank_regions(question, at_most=2)[0]
    assert first.accepted
    assert first.cost is not None
    assert first.cost.replication > 0
    assert set(first.serves) == {"us-east-1", "eu-central-1"}


def test_users_of_a_cloud_that_publishes_no_latency_within_a_region_are_served_there(
    book: PriceBook,
) -> None:
    machines = on_demand(book, "azure", kind="Standard_D4s_v5")
    found = sites(book, machines, 50, "block_balanced", NOW_US)
    names = [site.region for site in found.sites]
    assert {"eastus", "westeurope"} <= set(names)
    question = RegionQuestion(
        sites=found.sites,
        users=[Users("eastus", 6), Users("westeurope", 4)],
        demand=Demand(200, 80, 2_000),
        latencies=latencies(book, "azure"),
        transfers=transfers(book, "azure", names, NOW_US),
        bound=LatencyBound(30_000, 1, Statistic.P95),
    )
    assert ("eastus", "eastus") not in question.latencies
    plans = rank_regions(question, at_most=2)
    home = next(
        p for p in plans if p.regions in (("eastus", "westeurope"), ("westeurope", "eastus"))
    )
    assert home.accepted
    assert home.serves == {"eastus": "eastus", "westeurope": "westeurope"}


def test_commitments_and_spot_of_a_machine_become_offers(book: PriceBook) -> None:
    offers = reserved_offers(book, XLARGE, NOW_US)
    assert offers
    assert {offer.term_hours for offer in offers} <= {8_760, 26_280}
    rates = [offer.effective_micro_usd_per_hour() for offer in offers]
    assert rates == sorted(rates)
    price = book.machines.at(XLARGE, NOW_US).micro_usd_per_hour
    spot = spot_offer(
        book, XLARGE, NOW_US, rework_hours=Fraction(1, 10), missing_hours=Fraction(1, 30),
        most_share=Fraction(1, 2), open_band=Fraction(1, 2),
    )  # fmt: skip
    assert spot is not None
    # Its band is the open one: over 20 % a month.
    assert spot.interruptions_per_hour == hourly_interruption(Fraction(1, 2))
    found = cheapest_mix([4] * 12 + [10] * 12, price, offers, spot, most_unmet=Fraction(1, 1000))
    assert found.saving is not None
    assert 0 < found.saving < 1
    # Three years cost less than half of on demand, so a machine pays that is needed half of the
    # hours; but the last five of the ten would be spot, which is cheaper still.
    assert found.reserved_machines == 5
    assert found.spot_cost > 0


def test_an_open_band_is_not_closed_below_where_it_begins(book: PriceBook) -> None:
    with pytest.raises(ValueError, match="open_band is 1/10; accepted: 1/5 or more"):
        spot_offer(
            book, XLARGE, NOW_US, rework_hours=Fraction(0), missing_hours=Fraction(0),
            most_share=Fraction(1), open_band=Fraction(1, 10),
        )  # fmt: skip


def test_a_machine_without_spot_price_has_no_spot_offer(book: PriceBook) -> None:
    stranger = Machine("aws", "us-east-1", "x99.metal", "on_demand")
    assert spot_offer(
        book, stranger, NOW_US, rework_hours=Fraction(0), missing_hours=Fraction(0),
        most_share=Fraction(1), open_band=Fraction(1, 2),
    ) is None  # fmt: skip
    assert reserved_offers(book, stranger, NOW_US) == []
