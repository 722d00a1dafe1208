"""The worked examples of docs/choice.md are what the program says."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from costs import Machine
from costs.choice import (
    Candidate,
    Demand,
    Latency,
    LatencyBound,
    Load,
    Needs,
    RegionQuestion,
    ReservedOffer,
    ServiceRate,
    Site,
    Spot,
    Statistic,
    Users,
    cheapest_mix,
    rank_instances,
    rank_regions,
)
from tests.tables import table

TEXT = (Path(__file__).parents[3] / "docs/choice.md").read_text()
GIB = 2**30
MS = 1000


def micro(usd: str) -> Fraction:
    return Fraction(Decimal(usd)) * 10**6


def spelled(micro_usd: Fraction | None, places: int = 4) -> str:
    assert micro_usd is not None
    return f"{float(micro_usd) / 1e6:.{places}f}"


def test_the_instances_of_the_example_are_ranked_as_the_program_does() -> None:
    rows = table(TEXT, "type")
    offered = [
        Candidate(Machine("aws", "us-east-1", r[0], "on_demand"), micro(r[1]), 4, int(r[2]) * GIB)
        for r in rows
    ]
    rates = {r[0]: ServiceRate(int(r[3]), "measured") for r in rows}
    needs = Needs(memory_bytes=6 * GIB)
    ranked = rank_instances(reversed(offered), rates, needs, Load(45, 25))
    assert [
        [
            each.candidate.machine.instance_type,
            str(each.instances),
            spelled(each.micro_usd_per_hour),
            spelled(each.micro_usd_per_1000_requests, 6),
            " ".join(reason.requirement for reason in each.shortfalls),
        ]
        for each in ranked
    ] == [[r[0], *r[4:]] for r in rows]
    twice = rank_instances(offered, rates, needs, Load(90, 50))
    assert twice[0].candidate.machine.instance_type == "g6.xlarge"
    (once,) = (e for e in ranked if e.candidate == twice[0].candidate)
    assert once.micro_usd_per_1000_requests == 2 * (twice[0].micro_usd_per_1000_requests or 0)


def test_the_regions_of_the_example_cost_what_the_program_says() -> None:
    prices = {r[0]: [micro(cell) for cell in r[1:]] for r in table(TEXT, "region")}
    far = {("north", "home"): 20, ("south", "home"): 150, ("north", "cheap"): 120,
           ("south", "cheap"): 10}  # fmt: skip
    question = RegionQuestion(
        sites=[Site(name, p[0], 100, p[1], p[2]) for name, p in prices.items()],
        users=[Users("north", 3), Users("south", 1)],
        demand=Demand(400, 100, 10_000, 20 * 10**9, 73 * 10**9),
        latencies={pair: Latency(ms * MS) for pair, ms in far.items()},
        transfers={("home", "cheap"): prices["home"][3], ("cheap", "home"): prices["cheap"][3]},
        bound=LatencyBound(100 * MS, 0, Statistic.P50),
    )
    found = []
    for plan in rank_regions(question, at_most=2):
        assert plan.cost is not None
        assert plan.within_share is not None
        parts = plan.cost.compute, plan.cost.transfer, plan.cost.storage, plan.cost.replication
        found.append(
            [
                ", ".join(plan.regions),
                str(sum(plan.machines.values())),
                *map(spelled, (*parts, plan.cost.total)),
                f"{float(plan.within_share):.0%}",
            ]
        )
    assert found == table(TEXT, "regions")


def mix_rows(offers: Sequence[ReservedOffer], horizon_hours: int | None) -> list[list[str]]:
    spot = Spot(micro("0.08"), Fraction(1, 1000), Fraction(1, 2), Fraction(1, 10), Fraction(1, 2))
    found = cheapest_mix(
        [4] * 12 + [10] * 12, micro("0.20"), offers, spot, Fraction(1, 10_000), horizon_hours
    )
    assert found.saving is not None
    summary = [
        " and ".join(f"{count} for {offer.name}" for offer, count in found.reserved),
        str(sum(hour.spot for hour in found.hours)),
        str(sum(hour.on_demand for hour in found.hours)),
        spelled(found.cost),
        f"{float(found.saving):.1%}",
    ]
    layers = [
        [
            str(layer.number),
            str(layer.hours_needed),
            spelled(layer.cost),
            spelled(layer.saving),
            "pays" if layer.pays else "does not pay",
        ]
        for layer in found.layers
    ]
    return [summary, *layers]


def test_the_purchase_mix_of_the_example_is_that_of_the_program() -> None:
    offers = [
        ReservedOffer("one year", 8_760, 0, micro("0.13")),
        ReservedOffer("three years", 26_280, 0, micro("0.09")),
    ]
    ever, *layers = mix_rows(offers, None)
    year, *_ = mix_rows(offers, 8_760)
    assert layers == table(TEXT, "reserved machine")
    assert [["none", *ever], ["one year", *year]] == table(TEXT, "horizon")


def test_the_numbers_of_sets_are_those_of_the_program() -> None:
    pairs = 30 + 30 * 29 // 2
    assert pairs == 465
    assert pairs + 30 * 29 * 28 // 6 == 4_525
    assert "465 sets of up to two and 4,525 of up to three" in TEXT
