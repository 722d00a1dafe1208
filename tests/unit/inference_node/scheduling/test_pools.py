"""Rules say which pool a request goes to: the first that fits, else the first pool."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.config import PoolRule
from inference_node.models.session import Tensor
from inference_node.scheduling.pool import Pool
from inference_node.scheduling.pools import Pools
from usage import Priority

NAMES = ("cpu", "fast", "large")
RULES = st.builds(
    PoolRule,
    pool=st.sampled_from(NAMES),
    priority=st.sampled_from([None, "high", "normal", "batch"]),
    model=st.sampled_from([None, "m", "n"]),
    min_items=st.none() | st.integers(1, 5),
    min_input_bytes=st.none() | st.integers(1, 100),
)


class NamedPool:
    """Stands for a pool that is only chosen."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.workers = number
        self.waiting = number * 10
        self.stopped = False
        self.looked_at_s: list[float] = []

    def stop(self) -> None:
        self.stopped = True

    def ended(self, until_s: float) -> bool:
        self.looked_at_s.append(until_s)
        return self.name != "fast"


def pools_of(*rules: PoolRule) -> tuple[Pools, dict[str, NamedPool]]:
    named = {name: NamedPool(name, number) for number, name in enumerate(NAMES, 1)}
    return Pools(cast(Mapping[str, Pool], named), rules), named


def items(count: int, width: int = 1) -> Mapping[str, Tensor]:
    return {"x": np.zeros((count, width), np.int64)}


def chosen(pools: Pools, model: str, priority: Priority, inputs: Mapping[str, Tensor]) -> str:
    return cast(NamedPool, pools.choose(model, priority, inputs)).name


@pytest.mark.parametrize(
    ("rule", "model", "priority", "count", "pool"),
    [
        (PoolRule(pool="fast", priority="high"), "m", "high", 1, "fast"),
        (PoolRule(pool="fast", priority="high"), "m", "normal", 1, "cpu"),
        (PoolRule(pool="fast", model="m"), "m", "batch", 1, "fast"),
        (PoolRule(pool="fast", model="m"), "n", "batch", 1, "cpu"),
        (PoolRule(pool="fast", min_items=3), "m", "normal", 3, "fast"),
        (PoolRule(pool="fast", min_items=3), "m", "normal", 2, "cpu"),
        (PoolRule(pool="fast", min_input_bytes=24), "m", "normal", 3, "fast"),
        (PoolRule(pool="fast", min_input_bytes=25), "m", "normal", 3, "cpu"),
        (PoolRule(pool="fast", model="m", min_items=2), "m", "normal", 1, "cpu"),
        (PoolRule(pool="fast"), "m", "normal", 1, "fast"),
    ],
)
def test_a_rule_fits_when_each_of_its_conditions_does(
    rule: PoolRule, model: str, priority: Priority, count: int, pool: str
) -> None:
    pools, _ = pools_of(rule)
    assert chosen(pools, model, priority, items(count)) == pool


@given(
    st.lists(RULES, max_size=4),
    st.sampled_from(["m", "n", "o"]),
    st.sampled_from(["high", "normal", "batch"]),
    st.integers(1, 6),
    st.integers(1, 5),
)
def test_the_first_rule_that_fits_decides_and_the_first_pool_where_none_does(
    rules: list[PoolRule], model: str, priority: Priority, count: int, width: int
) -> None:
    pools, _ = pools_of(*rules)
    fitting = [
        rule.pool
        for rule in rules
        if rule.priority in (None, priority)
        and rule.model in (None, model)
        and (rule.min_items is None or rule.min_items <= count)
        and (rule.min_input_bytes is None or rule.min_input_bytes <= 8 * count * width)
    ]
    assert chosen(pools, model, priority, items(count, width)) == [*fitting, "cpu"][0]


def test_bytes_are_those_of_all_inputs_together() -> None:
    pools, _ = pools_of(PoolRule(pool="large", min_input_bytes=12))
    inputs: Mapping[str, Tensor] = {"a": np.zeros(1, np.int64), "b": np.zeros(1, np.float32)}
    assert chosen(pools, "m", "normal", inputs) == "large"


def test_pools_count_and_close_as_one() -> None:
    pools, named = pools_of()
    assert (pools.workers, pools.waiting) == (6, 60)
    assert not pools.close()
    assert all(pool.stopped for pool in named.values())
    # Whatever there is to wait for, it has the same time for all.
    assert len({until_s for pool in named.values() for until_s in pool.looked_at_s}) == 1
