"""Who bears the idle time of a kind of machine."""

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import Catalogue, Machine, Price, Sharing
from reports.finance.bearers import Bearers
from reports.finance.query import IdleRule
from reports.finance.terms import MachineTerms
from store import HOUR_US, NodeStep, OwnedTime

CPU, GPU = (
    Machine("aws", "us-east-1", name, "on_demand") for name in ("c7i.xlarge", "g4dn.xlarge")
)
# The price of GPUs changes within the third hour, that of CPUs never does.
CHANGE_US = 2 * HOUR_US + HOUR_US // 2
PRICES = [
    Price(CPU, 200_000, None, "2025", "test"),
    Price(GPU, 500_000, None, "2025", "test"),
    Price(GPU, 600_000, CHANGE_US, "2025", "test"),
]
# b before a in the first hour: bearers come by name. In the second nothing is executed.
OWNED = [
    OwnedTime(0, CPU, "b", "m", "{}", 6),
    OwnedTime(0, CPU, "a", "m", "{}", 30),
    OwnedTime(0, GPU, "b", "m", "{}", 6),
    OwnedTime(2 * HOUR_US, CPU, "c", "m", "{}", 1),
    OwnedTime(2 * HOUR_US, GPU, "c", "m", "{}", 2),
    OwnedTime(CHANGE_US, CPU, "a", "m", "{}", 4),
    OwnedTime(CHANGE_US, CPU, "c", "m", "{}", 5),
    OwnedTime(CHANGE_US, GPU, "d", "m", "{}", 3),
]
# One tenant with five kinds of requests, three of which are the same without their label app.
MIXED = [
    OwnedTime(0, CPU, "a", "m", '{"team":"x"}', 10),
    OwnedTime(0, CPU, "a", "m", "{}", 20),
    OwnedTime(0, CPU, "a", "m", '{"app":"shop"}', 3),
    OwnedTime(0, CPU, "a", "m", '{"app":"blog"}', 7),
    OwnedTime(0, CPU, "a", None, '{"tenant":"z"}', 20),
    OwnedTime(0, CPU, "b", "n", "{}", 120),
]
PROPORTIONAL, EVEN = IdleRule(Sharing.PROPORTIONAL), IdleRule(Sharing.EVEN)
# As many as share without rest in all hours above.
UNITS = 3_600


def bearers(
    rule: IdleRule, step_us: int = HOUR_US, owned: list[OwnedTime] | None = None
) -> Bearers:
    return Bearers(
        rule, OWNED if owned is None else owned, MachineTerms(Catalogue(PRICES)), step_us
    )


def step(from_us: int, machine: Machine) -> NodeStep:
    return NodeStep(from_us, "node-1", machine, ((from_us, 1),), [])


def split(
    found: Bearers, from_us: int, machine: Machine, units: int = UNITS
) -> list[tuple[str | None, int]]:
    """Return who bears what, where each tenant bears one thing."""
    return [(bearer.tenant, own) for bearer, own in found.split(step(from_us, machine), units)]


def test_idle_time_of_a_kind_goes_by_what_each_tenant_used_of_that_kind() -> None:
    found = bearers(PROPORTIONAL)
    assert split(found, 0, CPU) == [("a", 3_000), ("b", 600)]
    assert split(found, 0, GPU) == [("b", 3_600)]


def test_even_gives_all_that_the_kind_executed_for_the_same_part() -> None:
    assert split(bearers(EVEN), 0, CPU) == [("a", 1_800), ("b", 1_800)]


@pytest.mark.parametrize(("rule", "of_a"), [(PROPORTIONAL, 1_200), (EVEN, 1_800)])
def test_within_a_tenant_it_goes_by_what_each_model_and_set_of_labels_used(
    rule: IdleRule, of_a: int
) -> None:
    found = bearers(rule, owned=MIXED).split(step(0, CPU), UNITS)
    assert [(tuple(bearer), units) for bearer, units in found] == [
        (("a", None, '{"app":"__idle__","tenant":"z"}'), of_a * 20 // 60),
        (("a", "m", '{"app":"__idle__","team":"x","tenant":"a"}'), of_a * 10 // 60),
        (("a", "m", '{"app":"__idle__","tenant":"a"}'), of_a * 30 // 60),
        (("b", "n", '{"app":"__idle__","tenant":"b"}'), 3_600 - of_a),
    ]


def test_even_gives_a_tenant_the_same_part_whatever_number_of_models_and_labels_it_has() -> None:
    more = [*MIXED, OwnedTime(0, CPU, "c", "m", "{}", 1)]
    found = bearers(EVEN, owned=more).split(step(0, CPU), UNITS)
    parts: Counter[str | None] = Counter()
    for bearer, units in found:
        parts[bearer.tenant] += units
    assert parts == {"a": 1_200, "b": 1_200, "c": 1_200}
    assert [units for bearer, units in found if bearer.tenant == "a"] == [400, 200, 600]


@pytest.mark.parametrize("rule", [PROPORTIONAL, EVEN], ids=str)
def test_nobody_bears_what_a_kind_costs_that_executed_nothing(rule: IdleRule) -> None:
    found = bearers(rule)
    assert [(tuple(each), own) for each, own in found.split(step(HOUR_US, CPU), 5)] == [
        ((None, None, '{"app":"__idle__"}'), 5)
    ]
    # What was executed in an hour that nobody asked about is not carried into the next.
    assert split(found, 2 * HOUR_US, CPU)[-1][0] == "c"
    other = Machine("aws", "us-east-1", "c7i.xlarge", "spot")
    assert split(found, 2 * HOUR_US, other) == [(None, UNITS)]


def test_a_price_that_changes_parts_that_kind_and_no_other() -> None:
    found = bearers(PROPORTIONAL)
    assert split(found, 2 * HOUR_US, GPU) == [("c", 3_600)]
    assert split(found, 2 * HOUR_US, CPU) == [("a", 1_440), ("c", 2_160)]
    assert split(found, CHANGE_US, CPU) == [("a", 1_440), ("c", 2_160)]
    assert split(found, CHANGE_US, GPU) == [("d", 3_600)]


def test_a_day_shares_over_all_its_hours() -> None:
    found = bearers(PROPORTIONAL, 24 * HOUR_US)
    for from_us in (0, CHANGE_US):
        assert split(found, from_us, CPU, 460) == [("a", 340), ("b", 60), ("c", 60)]
    assert split(found, HOUR_US, GPU, 80) == [("b", 60), ("c", 20)]


@pytest.mark.parametrize(
    ("rule", "tenant", "tags"),
    [
        (IdleRule(), None, '{"app":"__idle__"}'),
        (
            IdleRule(Sharing.OWNER, "platform"),
            "platform",
            '{"app":"__idle__","tenant":"platform"}',
        ),
    ],
)
def test_who_bears_all_of_it_is_not_looked_up(
    rule: IdleRule, tenant: str | None, tags: str
) -> None:
    read = iter(OWNED)
    found = Bearers(rule, read, MachineTerms(Catalogue(PRICES)), HOUR_US)
    assert found.split(step(0, CPU), 7) == [((tenant, None, tags), 7)]
    assert list(read) == OWNED


LABELS = st.sampled_from(["{}", '{"app":"x"}', '{"team":"x"}', '{"team":"y"}', '{"tenant":"a"}'])
TIMES = st.lists(
    st.builds(
        OwnedTime,
        st.just(0),
        st.just(CPU),
        st.sampled_from("abc"),
        st.sampled_from([None, "m", "n"]),
        LABELS,
        st.integers(1, 2**62),
    ),
    min_size=1,
    max_size=20,
)


@given(TIMES, st.integers(0, 10**7), st.sampled_from([PROPORTIONAL, EVEN]), st.randoms())
def test_no_unit_is_lost_and_none_is_borne_twice(
    owned: list[OwnedTime], units: int, rule: IdleRule, chance: random.Random
) -> None:
    found = bearers(rule, owned=owned).split(step(0, CPU), units)
    assert sum(own for _, own in found) == units
    assert all(own > 0 for _, own in found)
    assert len({bearer for bearer, _ in found}) == len(found)
    # The order in which the facts come does not matter.
    chance.shuffle(owned)
    assert bearers(rule, owned=owned).split(step(0, CPU), units) == found
    used: Counter[str] = Counter()
    for each in owned:
        used[each.tenant] += each.machine_ns
    for tenant, ns in used.items():
        part = Fraction(1, len(used)) if rule == EVEN else Fraction(ns, used.total())
        borne = sum(own for bearer, own in found if bearer.tenant == tenant)
        assert abs(borne - units * part) < 1
