"""Counts and costs that are read are what plain Python makes of the same facts, filtered or not."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import direct_cost
from store import (
    HOUR_US,
    MINUTE_US,
    Batch,
    By,
    Filter,
    Grouping,
    Period,
    Totals,
    UsageMinute,
    commit,
    heat_map,
    open_reader,
    read_arrivals,
    read_breakdown,
    read_busy_times,
    read_cache_savings,
    read_dearest_candidates,
    read_latency,
    read_latest_requests,
    read_load_points,
    read_resolution,
    read_series,
    read_slowest_requests,
    read_totals,
    read_traffic,
)
from store.latency_histogram import bucket_of
from tests.fixtures_usage import MONDAY_US, on_behalf, usage_record
from tests.integration.truth_queries import (
    FILTERS,
    GROUPINGS,
    PERIODS,
    STEPS,
    TRUTH,
    Stored,
    buckets,
    few,
    totals,
)
from tests.integration.usage_truth import (
    CHANGES,
    PERIOD,
    by_step,
    is_request,
    key_of,
    outcomes,
    rate,
    step_of,
    worker_us,
)
from usage import UsageRecord


@few
@given(where=FILTERS, period=PERIODS, step_us=STEPS)
def test_totals_and_series_are_sums_over_requests(
    stored: Stored, where: Filter, period: Period, step_us: int
) -> None:
    came = TRUTH.came(period, where)
    assert read_totals(stored.connection, period, where=where) == totals(came)
    steps = by_step([r for r in came if is_request(r)], period, step_us)
    everything = by_step(came, period, step_us)
    assert read_series(stored.connection, period, step_us, where=where) == [
        (step, totals(everything[step])) for step in sorted(steps)
    ]
    traffic = read_traffic(stored.connection, period, step_us, where=where)
    assert all(row.key == () for row in traffic)
    assert [(row.from_us, row.requests, row.failures, row.latency) for row in traffic] == [
        (step, len(steps[step]), sum(r.status >= 400 for r in steps[step]), buckets(steps[step]))
        for step in sorted(steps)
    ]


@few
@given(where=FILTERS, period=PERIODS, step_us=st.none() | STEPS, by=GROUPINGS)
def test_a_breakdown_by_any_dimension_is_the_truth_of_each_group(
    stored: Stored,
    where: Filter,
    period: Period,
    step_us: int | None,
    by: list[Grouping],
) -> None:
    groups: dict[tuple[int, tuple[str | None, ...]], list[UsageRecord]] = defaultdict(list)
    for record in TRUTH.came(period, where):
        step = step_of(record.arrived_at_us, period, step_us or period.length_us)
        groups[step, key_of(record, by)].append(record)
    slices = read_breakdown(stored.connection, period, by, CHANGES, step_us=step_us, where=where)
    assert {(found.from_us, found.key) for found in slices} == set(groups)
    for found in slices:
        records = groups[found.from_us, found.key]
        assert found.totals == totals(records)
        assert found.latency == buckets(records)
        assert direct_cost(found.busy, rate) == TRUTH.ticks(records)
        assert found.unmeasured == sum(
            is_request(r) and r.compute_us > 0 and not TRUTH.share(r) for r in records
        )
    order = [(found.from_us, -found.totals.requests) for found in slices]
    assert order == sorted(order)
    traffic = read_traffic(stored.connection, period, step_us, by=by, where=where)
    assert [(row.from_us, row.key, row.requests, row.failures, row.latency) for row in traffic] == [
        (s.from_us, s.key, s.totals.requests, s.totals.failures, s.latency)
        for s in slices
        if s.totals.requests
    ]
    bare = read_breakdown(
        stored.connection, period, by, CHANGES, step_us=step_us, where=where, latency=False
    )
    assert [s.totals.requests for s in bare] == [s.totals.requests for s in slices]
    assert not any(s.latency for s in bare)


@few
@given(where=FILTERS, period=PERIODS, by=GROUPINGS)
def test_the_slices_of_a_breakdown_add_up_to_the_totals_and_the_direct_cost(
    stored: Stored, where: Filter, period: Period, by: list[Grouping]
) -> None:
    slices = read_breakdown(stored.connection, period, by, CHANGES, where=where)
    whole = read_totals(stored.connection, period, where=where)
    added = sum((found.totals for found in slices), Totals())
    assert added.worker_us == pytest.approx(whole.worker_us, rel=1e-12)
    assert replace(added, worker_us=whole.worker_us) == whole
    busy = read_busy_times(stored.connection, period, period.length_us, CHANGES, where=where)
    cost = direct_cost((time for _, time in busy.rows), rate)
    assert sum(direct_cost(found.busy, rate) for found in slices) == cost
    assert cost == TRUTH.ticks(TRUTH.came(period, where))
    assert sum(found.unmeasured for found in slices) == sum(busy.unmeasured.values())


@few
@given(where=FILTERS, period=PERIODS)
def test_the_cache_saves_the_mean_worker_time_of_a_miss_of_the_same_version(
    stored: Stored, where: Filter, period: Period
) -> None:
    groups: dict[tuple[str | None, ...], list[UsageRecord]] = defaultdict(list)
    for record in TRUTH.came(period, where):
        if is_request(record) and record.status < 400:
            groups[record.model, record.model_version].append(record)
    savings = read_cache_savings(stored.connection, period, where=where)
    assert {(row.model, row.model_version) for row in savings} == set(groups)
    assert [row.hits for row in savings] == sorted((row.hits for row in savings), reverse=True)
    for row in savings:
        records = groups[row.model, row.model_version]
        misses = [r for r in records if r.cache == "miss"]
        hits = [r for r in records if r.cache in ("memory", "redis", "coalesced")]
        assert row.requests == outcomes(records)
        assert row.hits == len(hits)
        if not hits:
            assert row.estimated_saved_worker_us == 0
        elif misses:
            mean_us = float(sum(map(worker_us, misses))) / len(misses)
            assert row.estimated_saved_worker_us == pytest.approx(len(hits) * mean_us)
            assert row.hit_share == pytest.approx(len(hits) / (len(hits) + len(misses)))
        else:
            assert row.estimated_saved_worker_us is None


def test_requests_that_a_source_only_counts_are_in_the_figures_and_in_no_list(
    tmp_path: Path,
) -> None:
    database = tmp_path / "usage.duckdb"
    counted = UsageMinute(
        minute_us=MONDAY_US + MINUTE_US,
        node_id="triton",
        boot_id="0198c0de-0000-7000-8000-0000000000aa",
        model="digits",
        model_version="1",
        requests=100,
        items=200,
        item_us=50_000,
        queue_us=1_000,
        compute_us=40_000,
        total_us=60_000,
        latency={bucket_of(600): 100},
    )
    records = [usage_record(seq=n + 1, arrived_at_us=MONDAY_US + n) for n in range(5)]
    behind = on_behalf(arrived_at_us=MONDAY_US + MINUTE_US)
    commit(database, Batch([*records, behind], minutes=[counted]), now_us=1)
    with open_reader(database) as opened:
        assert read_totals(opened, PERIOD).requests == 105
        assert sum(read_latency(opened, PERIOD)[0].counts.values()) == 105
        assert len(read_latest_requests(opened, 3)) == 3
        assert len(read_latest_requests(opened, 50)) == 6
        assert len(read_slowest_requests(opened, PERIOD, 50)) == 5
        assert read_arrivals(opened, PERIOD).read_all().num_rows == 5


def test_a_period_without_facts_has_empty_figures(stored: Stored) -> None:
    empty = Period(MONDAY_US - HOUR_US, MONDAY_US - MINUTE_US)
    assert read_totals(stored.connection, empty) == Totals()
    assert read_breakdown(stored.connection, empty, [By.MODEL], [0]) == []
    assert heat_map(read_latency(stored.connection, empty, MINUTE_US)).rows == ()
    assert read_load_points(stored.connection, empty, MINUTE_US) == []
    assert read_slowest_requests(stored.connection, empty, 5) == []
    assert read_latest_requests(stored.connection, 5, period=empty) == []
    assert read_dearest_candidates(stored.connection, empty, 5, [0]) == []
    assert read_arrivals(stored.connection, empty).read_all().num_rows == 0
    assert read_resolution(stored.connection, empty) == MINUTE_US
