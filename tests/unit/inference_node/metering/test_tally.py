"""However records are cut into pieces, they add up to the same, exactly."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference_node.metering.histogram import (
    BATCH_SIZES,
    BOUNDS_US,
    WIDTH,
    buckets_of,
    cumulative,
    cumulative_sizes,
)
from inference_node.metering.tally import Group, Sums, Tally
from tests.fixtures_usage import usage_record
from usage import UsageRecord

DURATIONS = st.integers(0, 10 * 86_400 * 1_000_000)
RECORDS = st.lists(
    st.builds(
        usage_record,
        model=st.sampled_from(["digits", "other", None]),
        model_version=st.sampled_from(["1", "2"]),
        variant=st.sampled_from(["fp32", None]),
        priority=st.sampled_from(["high", "normal", "batch"]),
        status=st.sampled_from([200, 400, 503]),
        error=st.sampled_from([None, "queue_full"]),
        cache=st.sampled_from(["miss", "memory", "bypass"]),
        route=st.sampled_from(["direct", "shadow"]),
        arrived_at_us=st.integers(946_684_800_000_000, 4_102_444_800_000_000),
        total_us=DURATIONS,
        queue_us=DURATIONS,
        compute_us=DURATIONS,
        batch_size=st.integers(0, 1_000_000),
        items=st.integers(1, 1_000_000),
        request_bytes=st.integers(0, 2**48),
        response_bytes=st.integers(0, 2**48),
    ),
    max_size=30,
)


def tally_of(*parts: list[UsageRecord]) -> Tally:
    tally = Tally()
    for part in parts:
        tally.fold(part)
    return tally


def group_of(record: UsageRecord) -> Group:
    known = record.variant is not None
    return Group(
        (record.model if known else None) or "unknown",
        (record.model_version if known else None) or "unknown",
        record.priority,
        record.pool,
        record.status,
        record.error or "",
        record.cache,
        record.route,
    )


@given(RECORDS, st.integers(0, 30))
def test_every_record_is_in_the_sums_of_its_group_and_batch_size_once(
    records: list[UsageRecord], cut: int
) -> None:
    expected: dict[tuple[Group, int], Sums] = {}
    for r in records:
        key = group_of(r), r.batch_size
        one = Sums(
            1, r.total_us, r.queue_us, r.compute_us, r.items, r.request_bytes, r.response_bytes,
            r.compute_us * r.items,
        )  # fmt: skip
        expected[key] = expected.get(key, Sums()).plus(one)
    tally = tally_of(records[:cut], records[cut:])
    assert tally.sums == expected
    assert all(type(value) is int for sums in tally.sums.values() for value in sums)


@given(RECORDS, st.integers(0, 30))
def test_every_duration_is_in_the_one_bucket_whose_bounds_enclose_it(
    records: list[UsageRecord], cut: int
) -> None:
    def bucket(us: int) -> int:
        return next((i for i, bound in enumerate(BOUNDS_US) if us <= bound), WIDTH - 1)

    tally = tally_of(records[:cut], records[cut:])
    executed = [r for r in records if r.batch_size]
    for found, expected in (
        (tally.latency(), Counter((group_of(r), bucket(r.total_us)) for r in records)),
        (tally.queue(), Counter((group_of(r), bucket(r.queue_us)) for r in executed)),
        (tally.compute(), Counter((group_of(r), bucket(r.compute_us)) for r in executed)),
    ):
        counted = {
            (group, i): count
            for group, row in found
            for i, count in enumerate(row.tolist())
            if count
        }
        assert counted == expected


def test_a_thousand_made_up_models_are_one_group() -> None:
    made_up = [
        usage_record(model=f"m{n}", model_version=f"{n}", variant=None, status=404)
        for n in range(1000)
    ]
    tally = tally_of(made_up[:500], made_up[500:])
    [((group, _), sums)] = tally.sums.items()
    assert (group.of, sums.records) == (("unknown", "unknown"), 1000)
    assert len(tally._groups) == 1


def test_a_model_that_was_asked_for_by_the_name_of_none_is_not_mixed_up_with_it() -> None:
    tally = tally_of([usage_record(model="unknown"), usage_record(variant=None)])
    assert {group.of for group, _ in tally.sums} == {("unknown", "1"), ("unknown", "unknown")}


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=6), max_size=10))
def test_the_requests_of_a_batch_make_one_execution_and_its_time(batches: list[list[int]]) -> None:
    records = [
        usage_record(items=items, batch_size=sum(batch), compute_us=1000 + number, batch_id=number)
        for number, batch in enumerate(batches)
        for items in batch
    ]
    sums = tally_of(records).sums
    assert sum(Fraction(s.items, size) for (_, size), s in sums.items()) == len(batches)
    busy_us = sum(Fraction(s.item_us, size) for (_, size), s in sums.items())
    assert busy_us == sum(1000 + number for number in range(len(batches)))


def test_the_last_arrival_is_the_latest_whatever_the_order() -> None:
    first = usage_record().arrived_at_us
    late, early = usage_record(arrived_at_us=first + 9), usage_record()
    for parts in ([[late, early]], [[late], [early]], [[early], [late]]):
        assert tally_of(*parts).last_arrived_at_us == {("digits", "1"): first + 9}


def test_bounds_rise_and_are_dense_where_targets_lie() -> None:
    assert list(BOUNDS_US) == sorted(set(BOUNDS_US))
    ratios = {low: high / low for low, high in pairwise(BOUNDS_US)}
    assert max(ratio for low, ratio in ratios.items() if 1_000 <= low < 100_000) <= 1.28
    assert max(ratio for low, ratio in ratios.items() if low >= 500) <= 2
    assert max(ratios.values()) <= 2.5
    assert buckets_of(np.array([0, 100, 101, 60_000_000, 60_000_001])).tolist() == [
        0, 0, 1, WIDTH - 2, WIDTH - 1,
    ]  # fmt: skip


def test_cumulative_counts_end_with_all_observations() -> None:
    counts = [0] * WIDTH
    counts[0], counts[4], counts[-1] = 2, 3, 1
    found = dict(cumulative(counts))
    assert (found["0.0001"], found["0.001"], found["60.0"], found["+Inf"]) == (2, 5, 5, 6)
    sizes = cumulative_sizes([(1, 4), (3, 2), (5000, 1)])
    assert len(sizes) == len(BATCH_SIZES) + 1
    by_bound = dict(sizes)
    assert [by_bound[bound] for bound in ("1.0", "2.0", "4.0", "+Inf")] == [4, 4, 6, 7]
