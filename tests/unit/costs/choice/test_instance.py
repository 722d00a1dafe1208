"""The cheapest instance that will do, and why each of the others will not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import Machine
from costs.choice import Candidate, Load, Needs, ServiceRate, rank_instances, scaled_rate

GIB = 2**30


def candidate(kind: str, price: int, vcpus: int = 4, memory: int = 8, **more: object) -> Candidate:
    machine = Machine("aws", "us-east-1", kind, "on_demand")
    return Candidate(machine, price, vcpus, memory * GIB, **more)  # type: ignore[arg-type]


SMALL = candidate("small", 100_000)
LARGE = candidate("large", 180_000, vcpus=8, memory=16)
GPU = candidate("gpu", 800_000, 4, 16, accelerator="L4", accelerator_count=1,
                accelerator_memory_bytes=24 * GIB, arch="x86_64")  # fmt: skip
RATES = {
    "small": ServiceRate(10, "measured"),
    "large": ServiceRate(20, "measured"),
    "gpu": ServiceRate(500, "measured"),
}


def test_candidates_are_ranked_by_what_it_takes_to_carry_the_load() -> None:
    # 45 requests per second: 5 small at 0.10, 3 large at 0.18, 1 with a GPU at 0.80 USD per hour.
    ranked = rank_instances([SMALL, LARGE, GPU], RATES, Needs(), Load(45, Fraction(25)))
    assert [(c.candidate, c.instances) for c in ranked] == [(SMALL, 5), (LARGE, 3), (GPU, 1)]
    assert [c.micro_usd_per_hour for c in ranked] == [500_000, 540_000, 800_000]
    # 25 requests per second on average are 90,000 an hour.
    assert ranked[0].micro_usd_per_1000_requests == Fraction(500_000, 90)
    assert all(choice.accepted and not choice.estimated for choice in ranked)


def test_the_larger_load_is_cheapest_on_the_larger_instance() -> None:
    ranked = rank_instances([SMALL, LARGE, GPU], RATES, Needs(), Load(500, 500))
    assert [c.candidate for c in ranked] == [GPU, LARGE, SMALL]


def test_spare_instances_are_added_and_paid() -> None:
    (choice,) = rank_instances([SMALL], RATES, Needs(), Load(45, 45, spare=1))
    assert choice.instances == 6
    assert choice.micro_usd_per_hour == 600_000


def test_who_does_not_meet_a_need_is_last_with_requirement_value_and_what_is_required() -> None:
    needs = Needs(memory_bytes=12 * GIB, accelerators=("A10G", "L4"), accelerator_count=1,
                  accelerator_memory_bytes=20 * GIB, archs=("x86_64",))  # fmt: skip
    ranked = rank_instances([SMALL, LARGE, GPU], RATES, needs, Load(45, 45))
    assert [c.candidate for c in ranked] == [GPU, SMALL, LARGE]
    assert [c.accepted for c in ranked] == [True, False, False]
    assert [str(reason) for reason in ranked[1].shortfalls] == [
        f"memory_bytes is {8 * GIB}; required: {12 * GIB} or more",
        "accelerator_count is 0; required: 1 or more",
        f"accelerator_memory_bytes is unknown; required: {20 * GIB} or more",
        "accelerator is none; required: A10G or L4",
        "arch is unknown; required: x86_64",
    ]
    assert ranked[1].instances == 5, "what it would cost is told all the same"


def test_without_a_service_rate_there_is_no_figure_and_a_reason() -> None:
    rates = {"large": ServiceRate(0, "never within 50 ms")}
    ranked = rank_instances([SMALL, LARGE], rates, Needs(), Load(1, 1))
    reasons = {c.candidate: [str(s) for s in c.shortfalls] for c in ranked}
    assert reasons == {
        SMALL: ["service rate is unknown; required: measured or scaled"],
        LARGE: ["requests_per_s is 0; required: above 0 within the latency target"],
    }
    assert {c.micro_usd_per_hour for c in ranked} == {None}


def test_more_than_can_be_had_is_a_shortfall() -> None:
    scarce = candidate("small", 1, available=4)
    (choice,) = rank_instances([scarce], RATES, Needs(), Load(45, 45))
    assert [str(s) for s in choice.shortfalls] == ["available is 4; required: 5 or more"]


def test_a_scaled_rate_is_marked_as_an_estimate() -> None:
    rate = scaled_rate(RATES["small"], on=SMALL, to=LARGE)
    assert (rate.requests_per_s, rate.estimated, rate.basis) == (20, True, "scaled from small")
    (choice,) = rank_instances([LARGE], {"large": rate}, Needs(), Load(1, 1))
    assert choice.estimated
    four = candidate("gpus", 1, 48, 192, accelerator="L4", accelerator_count=4)
    assert scaled_rate(RATES["gpu"], on=GPU, to=four).requests_per_s == 2000
    with pytest.raises(ValueError, match="accelerator is 'L4', measured on None; accepted: the sa"):
        scaled_rate(RATES["small"], on=SMALL, to=GPU)
    intel, arm = candidate("c7i", 1, arch="x86_64"), candidate("c7g", 1, arch="arm64")
    with pytest.raises(
        ValueError, match="arch is 'arm64', measured on 'x86_64'; accepted: the sam"
    ):
        scaled_rate(RATES["small"], on=intel, to=arm)


@given(
    prices=st.lists(st.integers(0, 100), min_size=1, max_size=6),
    data=st.data(),
    peak=st.fractions(Fraction(1, 100), 1000),
)
def test_nothing_that_will_do_is_cheaper_than_the_first(
    prices: list[int], data: st.DataObject, peak: Fraction
) -> None:
    candidates = [candidate(str(n), price, vcpus=1 + n % 3) for n, price in enumerate(prices)]
    rates = {
        each.machine.instance_type: ServiceRate(data.draw(st.fractions(0, 10)), "drawn")
        for each in candidates
        if data.draw(st.booleans())
    }
    needs = Needs(vcpus=data.draw(st.integers(0, 3)))
    ranked = rank_instances(candidates, rates, needs, Load(peak, peak))
    assert {c.candidate for c in ranked} == set(candidates)
    costs = []
    for each in candidates:
        rate = rates.get(each.machine.instance_type)
        if rate and rate.requests_per_s and each.vcpus >= needs.vcpus:
            count, rest = divmod(peak, rate.requests_per_s)
            costs.append((count + bool(rest)) * each.micro_usd_per_hour)
    assert [c.micro_usd_per_hour for c in ranked if c.accepted] == sorted(costs)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: candidate("x", -1), "x in us-east-1, on-demand: micro_usd_per_hour is -1"),
        (lambda: candidate("x", 1, vcpus=0), "vcpus is 0; accepted: a whole number, 1 or more"),
        (lambda: candidate("x", 1, accelerator="L4"), "accelerator is 'L4', accelerator_count is"),
        (lambda: candidate("x", 1, available=-1), "available is -1"),
        (lambda: Load(1, 2), "mean_per_s is 2; accepted: an int or a Fraction, above 0, at most 1"),
        (lambda: Load(0, 0), "peak_per_s is 0; accepted: an int or a Fraction, above 0"),
        (lambda: Load(1, 1, -1), "spare is -1"),
        (lambda: Needs(accelerators="L40S"), "accelerators is 'L40S'; accepted: a tuple or a set"),  # type: ignore[arg-type]
        (lambda: Needs(memory_bytes=-1), "memory_bytes is -1"),
        (lambda: ServiceRate(1.5, "float"), "requests_per_s is 1.5"),  # type: ignore[arg-type]
        (lambda: rank_instances([SMALL, SMALL], {}, Needs(), Load(1, 1)), "twice"),
    ],
)
def test_wrong_input_is_refused_by_name(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=complaint):
        make()
