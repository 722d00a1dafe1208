"""Whose a machine's hours are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import Machine, Sharing
from reports.finance.shares import overfull, share_units
from store import NodeStep, Use

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
HOUR_US = 3_600_000_000


def use(tenant: str, machine_ns: int, model: str = "digits") -> Use:
    return Use(model, "1", "fp32", tenant, "{}", "live", False, 1, 0, 0, machine_ns)


def step(*uses: Use, uptime_us: int = HOUR_US) -> NodeStep:
    return NodeStep(0, "node-1", MACHINE, ((0, uptime_us),), list(uses))


def parts(found: list[tuple[Use | None, int]]) -> list[tuple[str | None, int]]:
    return [(None if who is None else who.tenant, units) for who, units in found]


# A quarter and an eighth of the hour.
QUARTER, EIGHTH = HOUR_US * 250, HOUR_US * 125


def test_idle_time_stands_apart() -> None:
    found = share_units(step(use("a", QUARTER), use("b", EIGHTH)), 1_000_000, Sharing.SEPARATE)
    assert parts(found) == [("a", 250_000), ("b", 125_000), (None, 625_000)]


def test_idle_time_goes_by_what_was_used() -> None:
    found = share_units(step(use("a", QUARTER), use("b", EIGHTH)), 1_000_000, Sharing.PROPORTIONAL)
    assert parts(found) == [("a", 666_667), ("b", 333_333)]


def test_idle_time_is_shared_evenly_by_tenants_not_by_rows() -> None:
    found = share_units(
        step(use("a", QUARTER), use("a", QUARTER, "ranker"), use("b", EIGHTH)),
        1_000_000,
        Sharing.EVEN,
    )
    # Idle are 375,000: half of it for each tenant, a's by what its two models used.
    assert parts(found) == [("a", 343_750), ("a", 343_750), ("b", 312_500)]


def test_a_tenant_that_used_no_time_bears_its_even_part() -> None:
    found = share_units(step(use("a", 0), use("b", 0), use("b", 0)), 1_000_000, Sharing.EVEN)
    assert parts(found) == [("a", 500_000), ("b", 250_000), ("b", 250_000)]


@pytest.mark.parametrize("sharing", list(Sharing))
def test_a_machine_that_nobody_used_is_idle_whatever_the_rule(sharing: Sharing) -> None:
    assert parts(share_units(step(), 1_000_000, sharing)) == [(None, 1_000_000)]


def test_where_nobody_used_any_time_there_is_nothing_to_go_by() -> None:
    found = share_units(step(use("a", 0)), 1_000_000, Sharing.PROPORTIONAL)
    assert parts(found) == [("a", 0), (None, 1_000_000)]


def test_more_use_than_time_is_told_and_shared_in_proportion() -> None:
    crowded = step(use("a", 3 * QUARTER), use("b", 3 * QUARTER))
    assert overfull(crowded)
    assert not overfull(step(use("a", QUARTER)))
    found = share_units(crowded, 1_000_001, Sharing.SEPARATE)
    assert parts(found) == [("a", 500_001), ("b", 500_000)]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**13)), max_size=12),
    st.integers(1, 2 * HOUR_US),
    st.integers(0, 10**7),
    st.sampled_from(list(Sharing)),
)
def test_shares_sum_to_the_hours_whatever_they_are(
    used: list[tuple[str, int]], uptime_us: int, units: int, sharing: Sharing
) -> None:
    found = share_units(step(*(use(*u) for u in used), uptime_us=uptime_us), units, sharing)
    assert sum(part for _, part in found) == units
    assert min((part for _, part in found), default=0) >= 0
    assert sorted(who for who, _ in found if who is not None) == sorted(use(*u) for u in used)
