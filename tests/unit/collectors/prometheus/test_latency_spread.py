"""Requests of an exporter's buckets go to buckets of the store: all of them, and near by."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.latency_spread import Span, spans, spread
from store import quantile_us
from store.latency_histogram import GAMMA, bucket_of, value_us

bounds = st.lists(st.floats(0.01, 1e11, allow_nan=False), min_size=1, max_size=12, unique=True).map(
    sorted
)


@given(bounds, st.data())
def test_none_gets_lost(upper: list[float], data: st.DataObject) -> None:
    ways = spans((*upper, math.inf))
    counts = {way: data.draw(st.integers(0, 1000)) for way in ways}
    found = spread(counts)
    assert sum(found.values()) == sum(counts.values())
    assert all(count > 0 for count in found.values())
    assert all(0 <= bucket < 2**15 for bucket in found)


@given(st.floats(2, 1e9), st.floats(1.1, 100), st.integers(1, 10_000))
def test_requests_stay_within_their_bucket(above: float, ratio: float, requests: int) -> None:
    for bucket in spread({(above, above * ratio): requests}):
        assert above / GAMMA <= value_us(bucket) * 1.01
        assert value_us(bucket) <= above * ratio * GAMMA


def test_requests_lie_evenly_on_a_logarithmic_scale() -> None:
    found = spread({(1_000.0, 4_000.0): 1_000})
    below = sum(count for bucket, count in found.items() if value_us(bucket) < 2_000)
    assert abs(below - 500) < 20


def test_those_above_the_last_bound_take_just_that_long() -> None:
    assert spread({(2_500_000.0, math.inf): 7}) == {bucket_of(2_500_000): 7}


def test_the_first_bucket_is_as_wide_as_the_second() -> None:
    assert spans((0.5e6, 1e6, 4e6, math.inf)) == [
        (0.25e6, 0.5e6), (0.5e6, 1e6), (1e6, 4e6), (4e6, math.inf),
    ]  # fmt: skip
    assert spans((1e6, math.inf)) == [(0.5e6, 1e6), (1e6, math.inf)]


def test_bounds_at_zero_or_below_hold_what_took_no_time() -> None:
    ways = spans((-1.0, 0.0, 1e6, 2e6, math.inf))
    assert ways[2] == (0.5e6, 1e6)
    assert spread({ways[0]: 1, ways[1]: 2}) == {0: 3}


def test_a_histogram_without_bounds_tells_nothing() -> None:
    [way] = spans((math.inf,))
    assert spread({way: 5}) == {}


@given(st.lists(st.integers(1, 2 * 10**6), min_size=1, max_size=300), st.floats(0.01, 1))
def test_a_quantile_is_off_by_no_more_than_the_exporters_bucket(
    durations: list[int], q: float
) -> None:
    upper = [2.0**power for power in range(22)]
    ways = spans((*upper, math.inf))
    counts: Counter[Span] = Counter()
    for duration in durations:
        counts[next(way for way in ways if duration <= way[1])] += 1
    exact = sorted(durations)[math.ceil(q * len(durations)) - 1]
    told = quantile_us(spread(counts), q)
    assert told is not None
    assert exact / 2.05 <= told <= exact * 2.05
