"""Whole units of machine time: never adrift, however steps, prices and commitments fall."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costs import Catalogue, Machine, Price
from costs.resources import Commitment
from reports.finance.coverage import Coverage
from reports.finance.machine_plan import UNIT_US, MachinePlan
from reports.finance.terms import MachineTerms
from store import HOUR_US, NodeStep

ON_DEMAND, RESERVED = (
    Machine("aws", "us-east-1", "c7i.xlarge", option) for option in ("on_demand", "reserved")
)
HOURS = 12
END_US = HOURS * HOUR_US
# Rates that do not divide: a third of a micro-USD, and an upfront payment over odd hours.
COMMITMENTS = [
    Commitment("one", RESERVED, 1, 1, 0, 7 * HOUR_US, 100_001, 1_000_000),
    Commitment("two", RESERVED, 2, 1, 2 * HOUR_US, END_US, 33_333, 7),
]
PRICES = [
    Price(ON_DEMAND, 178_501, None, "2025", "test"),
    Price(RESERVED, 120_007, None, "2025", "test"),
]

uptimes = st.tuples(
    st.sampled_from(("a", "b", "c")),
    st.sampled_from((ON_DEMAND, RESERVED)),
    st.integers(0, HOURS - 1),
    st.integers(1, HOUR_US),
)


def steps(ran: list[tuple[str, Machine, int, int]]) -> list[NodeStep]:
    once = {(hour, node, machine): us for node, machine, hour, us in ran}
    return [
        NodeStep(hour * HOUR_US, node, machine, ((hour * HOUR_US, us),), [])
        for (hour, node, machine), us in sorted(once.items())
    ]


@given(st.lists(uptimes, max_size=40))
def test_units_and_costs_follow_the_exact_ones_within_half_a_unit(
    ran: list[tuple[str, Machine, int, int]],
) -> None:
    plan = MachinePlan(MachineTerms(Catalogue(PRICES)), Coverage(COMMITMENTS, END_US))
    units: dict[tuple[str, Machine, str | None], int] = {}
    effective: dict[str, int] = {}
    exact: dict[str, Fraction] = {}
    given_us = 0
    for step, segments in plan.segments(steps(ran)):
        given_us += step.total_us
        for segment in segments:
            promise = segment.terms.commitment
            name = promise.commitment_id if promise else None
            key = step.node_id, step.machine, name
            units[key] = units.get(key, 0) + segment.units
            assert segment.units >= 0
            if name is None:
                assert segment.effective_pico == segment.billed_pico
                assert segment.effective_pico == segment.units * segment.terms.contracted_micro_usd
            else:
                assert segment.billed_pico == 0
                effective[name] = effective.get(name, 0) + segment.effective_pico
                exact[name] = exact.get(name, Fraction(0)) + segment.exact_pico
    assert abs(sum(units.values()) - Fraction(given_us, UNIT_US)) <= Fraction(len(units), 2)
    for name, amount in exact.items():
        # What is too little for a unit waits for the next one.
        rate = next(c for c in COMMITMENTS if c.commitment_id == name).effective_micro_usd_per_hour
        assert 0 <= amount - effective[name] + Fraction(1, 2) <= 1 + 3 * rate


@given(st.lists(uptimes, max_size=40))
def test_commitments_cover_no_more_than_they_pay_for_and_all_that_they_can(
    ran: list[tuple[str, Machine, int, int]],
) -> None:
    coverage = Coverage(COMMITMENTS, END_US)
    by_hour: dict[int, int] = {}
    covered: dict[tuple[str, int], int] = {}
    for step in steps(ran):
        found = coverage.cover(step)
        assert sum(found.values()) == step.total_us
        if step.machine == RESERVED:
            by_hour[step.from_us] = by_hour.get(step.from_us, 0) + step.total_us
            for each, us in found.items():
                if each is not None:
                    key = each.commitment_id, step.from_us
                    covered[key] = covered.get(key, 0) + us
    for hour_us, total_us in by_hour.items():
        used = coverage.used(RESERVED, hour_us, total_us)
        assert {each.commitment_id: us for each, us in used.items() if us} == {
            name: us for (name, at), us in covered.items() if at == hour_us
        }
        room = sum(coverage.room(each, hour_us) for each in COMMITMENTS)
        assert sum(used.values()) == min(room, total_us)
