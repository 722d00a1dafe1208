"""Quantiles from buckets are within 1 % of exact ones, and buckets merge."""

import math
from collections import Counter

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.latency_histogram import BUCKET_SQL, bucket_of, quantile_us, value_us

DURATIONS = st.one_of(st.integers(1, 2_000), st.integers(1, 864_000_000_000))


@given(
    durations=st.lists(DURATIONS, min_size=1, max_size=300),
    q=st.floats(0.001, 1.0, allow_nan=False),
)
def test_any_quantile_is_within_one_percent_of_the_exact_one(
    durations: list[int], q: float
) -> None:
    exact = sorted(durations)[math.ceil(q * len(durations)) - 1]
    found = quantile_us(Counter(map(bucket_of, durations)), q)
    assert found is not None
    assert abs(found - exact) <= 0.01 * exact


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_counting_apart_and_adding_is_counting_together(left: list[int], right: list[int]) -> None:
    apart = Counter(map(bucket_of, left)) + Counter(map(bucket_of, right))
    assert apart == Counter(map(bucket_of, left + right))


def test_the_database_sorts_into_the_same_buckets() -> None:
    durations = [0, 1, 2, 3, *(round(1.02**i) + d for i in range(80, 1_300) for d in (-1, 0, 1))]
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT us, {BUCKET_SQL.format(us='us')} FROM (SELECT unnest($us) AS us)",
            {"us": durations},
        ).fetchall()
    wrong = [(us, bucket) for us, bucket in rows if bucket != bucket_of(us)]
    assert wrong == []


def test_nothing_has_no_quantile_and_a_quantile_is_a_share() -> None:
    assert quantile_us({}, 0.5) is None
    assert quantile_us({3: 0}, 0.5) is None
    assert quantile_us({0: 10}, 0.5) == value_us(0) == 1.0
    for q in (0.0, -0.1, 1.1):
        with pytest.raises(ValueError, match="accepted: above 0, at most 1"):
            quantile_us({1: 1}, q)
