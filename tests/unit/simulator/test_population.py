import math
from collections import Counter

import numpy as np
import pytest

from simulator import Population, WorkloadError, zipf_keys

SIGMAS = 5


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.1, 2.0])
def test_keys_are_as_popular_as_zipfs_law_says(seed: int, exponent: float) -> None:
    count, keys = 100_000, 50
    drawn = zipf_keys(np.random.default_rng(seed), count, keys=keys, exponent=exponent)

    weights = [rank**-exponent for rank in range(1, keys + 1)]
    frequencies = np.bincount(drawn, minlength=keys) / count
    for key, frequency in enumerate(frequencies):
        expected = weights[key] / sum(weights)
        assert abs(frequency - expected) < SIGMAS * math.sqrt(expected * (1 - expected) / count)


def test_a_single_key_is_always_asked_for() -> None:
    drawn = zipf_keys(np.random.default_rng(0), 100, keys=1, exponent=1.1)
    assert drawn.tolist() == [0] * 100


def test_tenants_and_priorities_are_mixed_by_weight_whatever_the_weights_sum_to() -> None:
    count = 50_000
    population = Population(
        keys=10,
        tenants={"shop": 6, "search": 3, "lab": 1, "gone": 0},
        priorities={"high": 0.2, "normal": 0.8},
    )
    workload = population.workload(np.random.default_rng(1), np.arange(count, dtype=np.float64))

    tenants = Counter(workload.tenant.tolist())
    priorities = Counter(workload.priority.tolist())
    assert set(tenants) == {"shop", "search", "lab"}
    for drawn, expected in (
        (tenants["shop"], 0.6),
        (tenants["search"], 0.3),
        (tenants["lab"], 0.1),
        (priorities["high"], 0.2),
        (priorities["normal"], 0.8),
    ):
        deviation = math.sqrt(expected * (1 - expected) / count)
        assert abs(drawn / count - expected) < SIGMAS * deviation


def test_the_same_seed_gives_the_same_workload_and_another_seed_another() -> None:
    population = Population(keys=100, tenants={"a": 1, "b": 1})
    arrived_at_s = np.arange(100, dtype=np.float64)
    first, again, other = (
        population.workload(np.random.default_rng(seed), arrived_at_s) for seed in (7, 7, 8)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"keys": 0}, "keys"),
        ({"zipf_exponent": -0.1}, "zipf_exponent"),
        ({"zipf_exponent": math.nan}, "zipf_exponent"),
        ({"tenants": {}}, "tenants"),
        ({"tenants": {"a": 0.0}}, "tenants"),
        ({"tenants": {"a": -1.0, "b": 2.0}}, "tenants"),
        ({"tenants": {"a": math.inf}}, "tenants"),
        ({"tenants": {" a": 1.0}}, "tenants"),
        ({"priorities": {"urgent": 1.0}}, "priorities"),
        ({"priorities": {"high": math.nan}}, "priorities"),
    ],
)
def test_a_population_that_makes_no_sense_is_refused(
    parameters: dict[str, object], field: str
) -> None:
    with pytest.raises(WorkloadError) as raised:
        Population(**({"keys": 10} | parameters))  # type: ignore[arg-type]
    assert raised.value.field == field
