"""Latencies that are read are those of plain Python: quantiles, curve, heat map, stages."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import (
    Filter,
    Grouping,
    Period,
    heat_map,
    percentile_curve,
    read_latency,
    read_stages,
)
from tests.integration.truth_queries import (
    FILTERS,
    GROUPINGS,
    PERIODS,
    STEPS,
    TRUTH,
    Stored,
    few,
)
from tests.integration.usage_truth import (
    PERIOD,
    by_step,
    is_request,
    key_of,
    nearest_rank,
    step_of,
)


@few
@given(
    where=FILTERS,
    period=PERIODS,
    step_us=st.none() | STEPS,
    by=GROUPINGS,
    qs=st.lists(st.floats(0.001, 1), min_size=1, max_size=5),
)
def test_quantiles_of_any_slice_are_within_1_percent_of_the_exact_nearest_rank(
    stored: Stored,
    where: Filter,
    period: Period,
    step_us: int | None,
    by: list[Grouping],
    qs: list[float],
) -> None:
    durations: dict[tuple[int, tuple[str | None, ...]], list[int]] = defaultdict(list)
    for record in TRUTH.came(period, where):
        if is_request(record) and record.status < 400:
            step = step_of(record.arrived_at_us, period, step_us or period.length_us)
            durations[step, key_of(record, by)].append(record.total_us)
    found = read_latency(stored.connection, period, step_us, by=by, where=where)
    assert {(row.from_us, row.key) for row in found} == set(durations)
    for row in found:
        exact = [nearest_rank(durations[row.from_us, row.key], q) for q in qs]
        assert row.quantiles_us(qs) == pytest.approx(exact, rel=0.01)


@few
@given(where=FILTERS, period=PERIODS)
def test_the_percentile_curve_goes_through_every_quantile(
    stored: Stored, where: Filter, period: Period
) -> None:
    durations = [r.total_us for r in TRUTH.came(period, where) if is_request(r) and r.status < 400]
    rows = read_latency(stored.connection, period, where=where)
    curve = percentile_curve(rows[0].counts) if rows else []
    assert bool(curve) == bool(durations)
    for q, value_us in curve:
        rank = round(q * len(durations))
        assert q == rank / len(durations)
        assert value_us == pytest.approx(sorted(durations)[rank - 1], rel=0.01)
        # No longer duration is so near that it should have been counted, too.
        assert rank == len(durations) or sorted(durations)[rank] > value_us
    assert curve == sorted(curve)
    assert not curve or curve[-1][0] == 1
    assert percentile_curve({}) == []


@few
@given(where=FILTERS, period=PERIODS, step_us=STEPS, most_rows=st.sampled_from([2, 7, 60, 1000]))
def test_a_heat_map_counts_every_successful_request_in_its_row_and_step(
    stored: Stored,
    where: Filter,
    period: Period,
    step_us: int,
    most_rows: int,
) -> None:
    came = [r for r in TRUTH.came(period, where) if is_request(r) and r.status < 400]
    found = heat_map(read_latency(stored.connection, period, step_us, where=where), most_rows)
    assert len(found.rows) <= most_rows
    assert all(low[1] == high[0] for low, high in zip(found.rows, found.rows[1:], strict=False))
    counts: Counter[tuple[int, int]] = Counter()
    for record in came:
        [row] = [n for n, (above, upto) in enumerate(found.rows) if above < record.total_us <= upto]
        counts[step_of(record.arrived_at_us, period, step_us), row] += 1
    assert found.counts == counts


@few
@given(where=FILTERS, period=PERIODS, step_us=STEPS)
def test_stages_are_those_of_successful_executed_requests(
    stored: Stored, where: Filter, period: Period, step_us: int
) -> None:
    executed = [
        r for r in TRUTH.came(period, where) if is_request(r) and r.status < 400 and r.batch_size
    ]
    steps = by_step(executed, period, step_us)
    found = read_stages(stored.connection, period, step_us, where=where)
    assert [row.from_us for row in found] == sorted(steps)
    for row in found:
        records = steps[row.from_us]
        sums = [
            sum(r.queue_us for r in records),
            sum(r.compute_us for r in records),
            sum(r.total_us - r.queue_us - r.compute_us for r in records),
        ]
        assert row.requests == len(records)
        assert row.means_us() == pytest.approx([part / len(records) for part in sums])
        assert row.shares() == pytest.approx([part / sum(sums) for part in sums])


def test_a_step_below_one_microsecond_is_refused(stored: Stored) -> None:
    with pytest.raises(ValueError, match="step_us is 0; accepted: 1 or more"):
        read_stages(stored.connection, PERIOD, 0)
    with pytest.raises(ValueError, match="most_rows is 1; accepted: 2 or more"):
        heat_map([], 1)
