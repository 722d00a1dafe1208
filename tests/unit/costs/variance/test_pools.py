"""Machines that several models share: time, cost and utilisation of each."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.variance import Execution, Pool, Usage, share_pools

POOLS = st.dictionaries(
    st.sampled_from("xyz"),
    st.builds(Pool, st.integers(0, 10**20), st.integers(1, 10**15)),
    min_size=1,
)
EXECUTIONS = st.builds(
    Execution, st.one_of(st.just(0), st.fractions(0, 10**18)), st.integers(0, 10**12)
)


@given(pools=POOLS, data=st.data())
def test_costs_and_capacity_of_all_models_and_of_unused_pools_are_those_of_the_pools(
    pools: dict[str, Pool], data: st.DataObject
) -> None:
    on = st.dictionaries(st.sampled_from(sorted(pools)), EXECUTIONS)
    executed = data.draw(st.dictionaries(st.sampled_from("abcd"), on))
    shared = share_pools(pools, executed, {})
    costs = [Fraction(usage.cost) for usage in shared.usages.values()]
    assert sum(costs, Fraction(shared.unused)) == sum(pool.cost for pool in pools.values())
    for key, usage in shared.usages.items():
        assert usage.busy_us == sum(part.busy_us for part in executed[key].values())


def test_two_models_on_one_pool_have_its_utilisation_and_its_price() -> None:
    pools = {"cpu": Pool(cost=1_000, capacity_us=500)}
    executed = {
        "a": {"cpu": Execution(direct=300, busy_us=150)},
        "b": {"cpu": Execution(direct=100, busy_us=50)},
    }
    shared = share_pools(pools, executed, {"a": 7, "b": 9})
    a, b = shared.usages["a"], shared.usages["b"]
    assert (a.requests, a.provisioned_us, a.cost) == (7, 375, 750)
    assert (b.requests, b.provisioned_us, b.cost) == (9, 125, 250)
    assert a.utilization == b.utilization == Fraction(200, 500)
    assert a.price == b.price == 2
    assert shared.unused == 0


def test_idle_time_of_one_pool_is_not_borne_by_models_of_another() -> None:
    pools = {"cpu": Pool(100, 100), "gpu": Pool(10_000, 100)}
    executed = {"a": {"cpu": Execution(50, 50)}, "b": {"gpu": Execution(100, 1)}}
    shared = share_pools(pools, executed, {"a": 1, "b": 1})
    assert (shared.usages["a"].cost, shared.usages["b"].cost) == (100, 10_000)
    assert shared.usages["b"].utilization == Fraction(1, 100)


def test_a_pool_without_a_price_is_shared_by_busy_time() -> None:
    shared = share_pools(
        {"x": Pool(0, 100)}, {"a": {"x": Execution(0, 30)}, "b": {"x": Execution(0, 10)}}, {}
    )
    assert [usage.provisioned_us for usage in shared.usages.values()] == [75, 25]


def test_a_pool_that_executed_nothing_belongs_to_nobody() -> None:
    pools = {"x": Pool(100, 10), "standby": Pool(40, 10)}
    executed = {"a": {"x": Execution(5, 5), "standby": Execution(0, 0)}}
    shared = share_pools(pools, executed, {"only cached": 3})
    assert shared.unused == 40
    assert shared.usages["only cached"].requests == 3
    assert shared.usages["only cached"].cost == 0


def test_an_unused_pool_goes_to_its_owner_and_a_used_one_to_who_used_it() -> None:
    pools = {"x": Pool(100, 10), "standby": Pool(40, 10), "stray": Pool(3, 1)}
    executed = {"eu": {"x": Execution(5, 5)}}
    shared = share_pools(pools, executed, {"eu": 3}, owners={"x": "us", "standby": "us"})
    assert shared.usages == {"eu": Usage(3, 5, 10, 100), "us": Usage(0, 0, 10, 40)}
    assert shared.unused == 3


def test_an_execution_on_an_unknown_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="pool is gpu, which is not known; accepted: cpu"):
        share_pools({"cpu": Pool(1, 1)}, {"a": {"gpu": Execution(1, 1)}}, {})


@pytest.mark.parametrize("make", [lambda: Pool(-1, 1), lambda: Execution(1, -1)])
def test_negative_amounts_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="is -1; accepted: an int or a Fraction, 0 or more"):
        make()
