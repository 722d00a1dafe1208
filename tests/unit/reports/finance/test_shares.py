"""Whose a machine's hours are."""

from hypothesis import given
from hypothesis import strategies as st

from costs import Machine
from reports.finance.shares import overfull, share_units
from store import NodeStep, Use

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
HOUR_US = 3_600_000_000


def use(tenant: str, machine_ns: int) -> Use:
    return Use("digits", "1", "fp32", tenant, "{}", "live", False, 1, 0, 0, machine_ns)


def step(*uses: Use, uptime_us: int = HOUR_US) -> NodeStep:
    return NodeStep(0, "node-1", MACHINE, ((0, uptime_us),), list(uses))


# A quarter and an eighth of the hour.
QUARTER, EIGHTH = HOUR_US * 250, HOUR_US * 125


def test_what_nobody_used_is_idle() -> None:
    found = share_units(step(use("a", QUARTER), use("b", EIGHTH), use("c", 0)), 1_000_000)
    assert found == ([250_000, 125_000, 0], 625_000)


def test_a_machine_that_nobody_used_is_idle() -> None:
    assert share_units(step(), 1_000_000) == ([], 1_000_000)


def test_more_use_than_time_is_told_and_shared_in_proportion() -> None:
    crowded = step(use("a", 3 * QUARTER), use("b", 3 * QUARTER))
    assert overfull(crowded)
    assert not overfull(step(use("a", QUARTER)))
    assert share_units(crowded, 1_000_001) == ([500_001, 500_000], 0)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**13)), max_size=12),
    st.integers(1, 2 * HOUR_US),
    st.integers(0, 10**7),
)
def test_shares_sum_to_the_hours_whatever_they_are(
    used: list[tuple[str, int]], uptime_us: int, units: int
) -> None:
    parts, idle = share_units(step(*(use(*u) for u in used), uptime_us=uptime_us), units)
    assert sum(parts) + idle == units
    assert min([*parts, idle]) >= 0
    assert len(parts) == len(used)
