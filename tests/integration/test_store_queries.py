"""Every figure that is read is what plain Python makes of the same facts, filtered or not."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from costs import direct_cost
from store import (
    ARRIVAL_COLUMNS,
    EVERYTHING,
    HOUR_US,
    MINUTE_US,
    Batch,
    By,
    ByLabel,
    Dropped,
    Filter,
    Grouping,
    LoggedRequest,
    Period,
    Totals,
    UsageMinute,
    commit,
    heat_map,
    open_reader,
    open_writer,
    percentile_curve,
    read_arrivals,
    read_batch_fill,
    read_breakdown,
    read_busy_times,
    read_cache_savings,
    read_choices,
    read_dearest_candidates,
    read_dropped,
    read_label_choices,
    read_latency,
    read_latest_requests,
    read_load_points,
    read_resolution,
    read_series,
    read_slowest_requests,
    read_stages,
    read_totals,
    read_traffic,
    read_uptimes,
    read_utilization,
)
from store.archive import archive_before
from store.compaction import fold_minutes
from store.latency_histogram import bucket_of
from store.period import DAY_US
from tests.fixtures_usage import MONDAY_US, SECOND_US, on_behalf, usage_record
from tests.integration.usage_truth import (
    BOOTS,
    CHANGES,
    CHEAP,
    DEAR,
    HOSTILE,
    MACHINES,
    MINUTES,
    PERIOD,
    Truth,
    accepts_machine,
    by_step,
    fleet_facts,
    is_request,
    key_of,
    machine_values,
    nearest_rank,
    outcomes,
    rate,
    step_of,
    worker_us,
)
from usage import NodeSample, UsageRecord

# Hypothesis keeps this module beyond the end of DuckDB's, which then complains of leaked types.
if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TRUTH = Truth(fleet_facts())
ABSENT = "nowhere"


def values_of(name: str) -> list[str | None]:
    found: set[str | None]
    if name == "simulated":
        found = {"yes", "no"}
    elif name in machine_values("node-1"):
        found = {machine_values(node)[name] for node in MACHINES}
    else:
        found = {getattr(record, name) for record in TRUTH.records}
    return [*sorted(found, key=str), None, ABSENT, HOSTILE]


LABEL_PAIRS: list[tuple[str, str | None]] = [
    ("team", "checkout"), ("team", "search"), ("team", None), ("project", "p1"),
    ("project", "p2"), ("project", None), (HOSTILE, HOSTILE), ("team", "\0"),
]  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Draw a filter of at most three fields, the empty one included."""
    names = draw(st.lists(st.sampled_from([f.name for f in fields(Filter)]), max_size=3))
    chosen = {}
    for name in names:
        options = LABEL_PAIRS if name == "label" else values_of(name)
        chosen[name] = tuple(draw(st.lists(st.sampled_from(options), min_size=1, max_size=4)))
    return Filter(**chosen)  # type: ignore[arg-type]


FILTERS = filters()
STEPS = st.sampled_from([MINUTE_US, 2 * MINUTE_US, MINUTES * MINUTE_US])
GROUPINGS: st.SearchStrategy[list[Grouping]] = st.lists(
    st.sampled_from([*By, ByLabel("team"), ByLabel(HOSTILE)]), max_size=2, unique=True
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Draw a period that overlaps the facts."""
    begin = draw(st.integers(-1, MINUTES - 1))
    end = draw(st.integers(max(begin, 0) + 1, MINUTES + 1))
    return Period(MONDAY_US + begin * MINUTE_US, MONDAY_US + end * MINUTE_US)


PERIODS = periods()
few = settings(deadline=None, max_examples=25)


@dataclass(frozen=True)
class Stored:
    """The facts, as the store has them."""

    connection: "DuckDBPyConnection"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    database = tmp_path_factory.mktemp("queries") / "usage.duckdb"
    facts = fleet_facts()
    half = len(facts.records) // 2
    commit(database, Batch(facts.records[:half], facts.samples), now_us=1)
    commit(database, Batch(facts.records[half:]), now_us=2)
    with open_reader(database) as opened:
        yield Stored(opened)


def totals(records: Sequence[UsageRecord]) -> Totals:
    """Return the totals of `records`, executions on behalf of requests among them."""
    asked = [record for record in records if is_request(record)]
    return Totals(
        requests=len(asked),
        failures=sum(r.status >= 400 for r in asked),
        executed=sum(r.batch_size > 0 for r in asked),
        items=sum(r.items for r in asked),
        request_bytes=sum(r.request_bytes for r in asked),
        response_bytes=sum(r.response_bytes for r in asked),
        input_tokens=sum(r.input_tokens or 0 for r in asked),
        output_tokens=sum(r.output_tokens or 0 for r in asked),
        queue_us=sum(r.queue_us for r in asked),
        compute_us=sum(r.compute_us for r in asked),
        total_us=sum(r.total_us for r in asked),
        worker_us=pytest.approx(  # type: ignore[arg-type]
            float(sum(map(worker_us, records))), rel=1e-12
        ),
    )


def buckets(records: Sequence[UsageRecord]) -> Counter[int]:
    return Counter(bucket_of(r.total_us) for r in records if is_request(r) and r.status < 400)


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


@few
@given(where=FILTERS, period=PERIODS, step_us=STEPS)
def test_batch_fill_is_items_per_batch(
    stored: Stored, where: Filter, period: Period, step_us: int
) -> None:
    executed = [r for r in TRUTH.came(period, where) if is_request(r) and r.batch_size]
    steps = by_step(executed, period, step_us)
    found = read_batch_fill(stored.connection, period, step_us, where=where)
    assert [row.from_us for row in found] == sorted(steps)
    for row in found:
        records = steps[row.from_us]
        assert row.items == sum(r.items for r in records)
        assert row.batches == sum(Fraction(r.items, r.batch_size) for r in records)
        assert row.mean_size == pytest.approx(float(row.items / row.batches))


def test_the_fill_of_whole_batches_is_their_mean_size(tmp_path: Path) -> None:
    sizes = [1, 4, 4, 8]
    records = [
        usage_record(seq=n + 1, batch_id=n, batch_size=size)
        for n, size in enumerate(sizes)
        for _ in range(size)
    ]
    commit(tmp_path / "usage.duckdb", Batch(records), now_us=1)
    with open_reader(tmp_path / "usage.duckdb") as opened:
        [row] = read_batch_fill(opened, PERIOD, PERIOD.length_us)
    assert row.batches == Fraction(len(sizes))
    assert row.mean_size == sum(sizes) / len(sizes)


@few
@given(
    where=FILTERS,
    period=PERIODS,
    step_us=STEPS,
    by=st.lists(st.sampled_from([By.NODE, By.CLOUD, By.PURCHASE_OPTION]), max_size=2, unique=True),
)
def test_utilization_is_that_of_the_samples_of_the_accepted_machines(
    stored: Stored,
    where: Filter,
    period: Period,
    step_us: int,
    by: list[By],
) -> None:
    groups: dict[tuple[int, tuple[str | None, ...]], list[NodeSample]] = defaultdict(list)
    for sample in TRUTH.ran(period, where):
        key = tuple(str(getattr(sample, one.value)) for one in by)
        groups[step_of(sample.sampled_at_us - 1, period, step_us), key].append(sample)
    found = read_utilization(stored.connection, period, step_us, by=by, where=where)
    assert [(row.from_us, row.key) for row in found] == sorted(groups)
    for row in found:
        ran = groups[row.from_us, row.key]
        uptime_us = sum(s.interval_us for s in ran)
        capacity_us = sum(s.interval_us * s.workers_ready for s in ran)
        gpu = [s for s in ran if s.gpu_utilization is not None]
        assert row.nodes == len({s.node_id for s in ran})
        assert row.uptime_us == uptime_us
        assert row.capacity_us == capacity_us
        assert row.busy_us == sum(s.busy_us for s in ran)
        assert row.utilization == pytest.approx(row.busy_us / capacity_us)
        assert row.workers_ready == pytest.approx(capacity_us / uptime_us)
        assert row.loading_us == sum(s.interval_us * s.workers_loading for s in ran)
        assert row.queue_depth == pytest.approx(sum(s.queue_depth for s in ran) / len(ran))
        assert row.queue_depth_max == max(s.queue_depth for s in ran)
        assert row.cpu_utilization == pytest.approx(sum(s.cpu_utilization for s in ran) / len(ran))
        assert row.memory_bytes_max == max(s.memory_bytes for s in ran)
        assert row.gpu_uptime_us == sum(s.interval_us for s in gpu)
        if gpu:
            assert row.gpu_utilization == pytest.approx(
                sum(s.gpu_utilization or 0 for s in gpu) / len(gpu)
            )
        else:
            assert row.gpu_utilization is None
        assert row.gpu_energy_j == pytest.approx(sum(s.gpu_power_w or 0 for s in gpu))
        assert row.gpu_memory_bytes_max == max((s.gpu_memory_bytes or 0 for s in gpu), default=None)


def test_machines_are_not_told_apart_by_what_is_no_property_of_them(
    stored: Stored,
) -> None:
    with pytest.raises(ValueError, match=r"by has tenant; accepted: .*region"):
        read_utilization(stored.connection, PERIOD, MINUTE_US, by=[By.TENANT])


@few
@given(where=FILTERS, period=PERIODS, step_us=STEPS)
def test_uptimes_and_load_are_those_of_the_accepted_machines_whatever_the_slice(
    stored: Stored, where: Filter, period: Period, step_us: int
) -> None:
    ran = TRUTH.ran(period, where)
    uptimes = read_uptimes(stored.connection, period, step_us, CHANGES, where=where)
    assert sum(row.time.uptime_us for row in uptimes) == sum(s.interval_us for s in ran)
    assert {row.time.machine for row in uptimes} == {MACHINES[s.node_id] for s in ran}
    points = read_load_points(stored.connection, period, step_us, where=where)
    came = by_step(
        [r for r in TRUTH.came(period, EVERYTHING) if accepts_machine(where, r.node_id)],
        period,
        step_us,
    )
    by_sample: dict[int, list[NodeSample]] = defaultdict(list)
    for sample in ran:
        by_sample[step_of(sample.sampled_at_us - 1, period, step_us)].append(sample)
    assert [point.from_us for point in points] == sorted(by_sample)
    for point in points:
        samples, records = by_sample[point.from_us], came[point.from_us]
        uptime_us = sum(s.interval_us for s in samples)
        owned = sum((TRUTH.machine_us(r) for r in records), Fraction(0))
        assert point.requests == sum(map(is_request, records))
        assert point.idle_share == pytest.approx(float(1 - owned / uptime_us))
        assert point.utilization == pytest.approx(
            sum(s.busy_us for s in samples) / sum(s.interval_us * s.workers_ready for s in samples)
        )
        assert point.requests_per_machine_s == pytest.approx(
            point.requests / (uptime_us / SECOND_US)
        )


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


def logged_ids(requests: Sequence[LoggedRequest]) -> list[str]:
    return [request.record_id for request in requests]


@few
@given(where=FILTERS, period=st.none() | PERIODS, limit=st.sampled_from([1, 30, 100_000]))
def test_the_latest_records_are_found_with_what_they_cost(
    stored: Stored, where: Filter, period: Period | None, limit: int
) -> None:
    came = TRUTH.came(period or PERIOD, where)
    expected = sorted(came, key=lambda r: (r.arrived_at_us, r.seq), reverse=True)[:limit]
    found = read_latest_requests(stored.connection, limit, where=where, period=period)
    assert [r.arrived_at_us for r in found] == [r.arrived_at_us for r in expected]
    known = {r.record_id: r for r in came}
    for request in found:
        record = known[request.record_id]
        for field in ("model", "tenant", "items", "labels", "status", "route", "parent_id"):
            assert getattr(request, field) == getattr(record, field), field
        busy = [request.busy] if request.busy else []
        assert direct_cost(busy, rate) == TRUTH.ticks([record])


@few
@given(where=FILTERS, period=PERIODS, limit=st.sampled_from([1, 20, 100_000]))
def test_the_slowest_requests_are_the_slowest(
    stored: Stored, where: Filter, period: Period, limit: int
) -> None:
    came = [r for r in TRUTH.came(period, where) if is_request(r)]
    found = read_slowest_requests(stored.connection, period, limit, where=where)
    expected = sorted((r.total_us for r in came), reverse=True)[:limit]
    assert [request.total_us for request in found] == expected
    assert set(logged_ids(found)) <= {r.record_id for r in came}


@few
@given(where=FILTERS, period=PERIODS, limit=st.sampled_from([1, 20, 100_000]))
def test_the_dearest_requests_are_among_the_candidates_whatever_the_prices(
    stored: Stored, where: Filter, period: Period, limit: int
) -> None:
    came = [r for r in TRUTH.came(period, where) if is_request(r) and TRUTH.machine_us(r)]
    found = read_dearest_candidates(stored.connection, period, limit, CHANGES, where=where)
    assert set(logged_ids(found)) <= {r.record_id for r in came}
    assert len(set(logged_ids(found))) == len(found)
    costs = sorted((TRUTH.ticks([r]) for r in came), reverse=True)[:limit]
    candidates = [direct_cost([r.busy], rate) for r in found if r.busy]
    assert sorted(candidates, reverse=True)[:limit] == costs
    assert len(candidates) == len(found) <= 4 * limit


@few
@given(where=FILTERS, period=PERIODS)
def test_arrivals_are_the_requests_in_order_and_in_batches(
    stored: Stored, where: Filter, period: Period
) -> None:
    came = sorted(
        (r for r in TRUTH.came(period, where) if is_request(r)),
        key=lambda r: (r.arrived_at_us, r.record_id),
    )
    reader = read_arrivals(stored.connection, period, where=where, batch_rows=2048)
    batches = list(reader)
    assert all(batch.num_rows <= 2048 for batch in batches)
    table = pa.Table.from_batches(batches, reader.schema)
    assert reader.schema.equals(ARRIVAL_COLUMNS)
    assert table.column("arrived_at_us").to_pylist() == [r.arrived_at_us for r in came]
    assert table.column("input_digest").to_pylist() == [
        None if r.input_digest is None else int(r.input_digest, 16) for r in came
    ]
    for name in ("items", "model", "tenant", "priority", "client_region", "status", "cache"):
        assert table.column(name).to_pylist() == [getattr(r, name) for r in came], name


@few
@given(where=FILTERS, period=PERIODS)
def test_dropped_facts_are_those_of_the_accepted_machines(
    stored: Stored, where: Filter, period: Period
) -> None:
    begin, end = (
        min(max(at_us - MONDAY_US, 0), PERIOD.length_us) // (40 * SECOND_US)
        for at_us in (period.from_us, period.to_us)
    )
    dropped = [Dropped("node-3", end - begin)] if end > begin else []
    expected = dropped if accepts_machine(where, "node-3") else []
    assert read_dropped(stored.connection, period, where=where) == expected


def test_everything_that_occurs_can_be_chosen(stored: Stored) -> None:
    choices = read_choices(stored.connection)
    assert set(choices) == {field.name for field in fields(Filter)} - {"label", "simulated"}
    assert choices["tenant"] == ["internal", "search", "shop"]
    assert choices["model"] == [HOSTILE, "digits", "ranker", None]
    assert choices["region"] == ["europe-west4", "us-east-1", None]
    assert choices["node_id"] == sorted(BOOTS)
    assert read_label_choices(stored.connection) == {
        "project": ["p1", "p2"],
        "team": ["checkout", "search"],
    }
    for name, values in choices.items():
        came = [
            read_totals(stored.connection, PERIOD, where=Filter(**{name: (value,)})).requests  # type: ignore[arg-type]
            for value in values
        ]
        assert sum(came) == sum(map(is_request, TRUTH.records)), name


def test_values_of_users_are_compared_and_never_executed(
    stored: Stored,
) -> None:
    for field in fields(Filter):
        value = (HOSTILE, HOSTILE) if field.name == "label" else HOSTILE
        where = Filter(**{field.name: (value,)})  # type: ignore[arg-type]
        came = read_totals(stored.connection, PERIOD, where=where).requests
        expected = sum(is_request(r) and r.model == HOSTILE for r in TRUTH.records)
        assert came == (expected if field.name == "model" else 0), field.name
    slices = read_breakdown(stored.connection, PERIOD, [ByLabel(HOSTILE)], CHANGES)
    assert [found.key for found in slices] == [(None,)]
    assert stored.connection.execute("SELECT count(*) FROM boot").fetchall() == [(len(BOOTS),)]


def test_a_step_below_one_microsecond_is_refused(stored: Stored) -> None:
    with pytest.raises(ValueError, match="step_us is 0; accepted: 1 or more"):
        read_stages(stored.connection, PERIOD, 0)
    with pytest.raises(ValueError, match="most_rows is 1; accepted: 2 or more"):
        heat_map([], 1)


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


def everything_of_an_hour(opened: "DuckDBPyConnection") -> SimpleNamespace:
    """Return figures of the hour of the facts that do not depend on how finely it is stored."""
    hour = Period(MONDAY_US, MONDAY_US + HOUR_US)
    slices = read_breakdown(opened, hour, [By.MODEL, By.REGION], CHANGES)
    return SimpleNamespace(
        # Prices as of the beginning of the hour: a change within it is below the resolution.
        slices=[
            (s.key, s.totals.requests, s.totals.items, s.latency, direct_cost(s.busy, at_begin))
            for s in slices
        ],
        stages=read_stages(opened, hour, HOUR_US),
        fill=read_batch_fill(opened, hour, HOUR_US),
        heat=heat_map(read_latency(opened, hour, HOUR_US)),
        dropped=read_dropped(opened, hour),
        cache=[(row.hits, row.miss_requests) for row in read_cache_savings(opened, hour)],
        points=[(p.requests, p.capacity_us, round(p.owned_us, 3)) for p in
                read_load_points(opened, hour, HOUR_US)],
        machines=[(u.key, u.nodes, u.capacity_us, u.queue_depth_us, u.gpu_memory_bytes_max)
                  for u in read_utilization(opened, hour, HOUR_US, by=[By.CLOUD])],
        latest=logged_ids(read_latest_requests(opened, 50)),
        latest_in_period=logged_ids(read_latest_requests(opened, 50, period=PERIOD)),
        filtered=logged_ids(read_latest_requests(opened, 50, where=Filter(
            region=("europe-west4", None), label=(("team", None), ("project", "p2"))))),
        slowest=logged_ids(read_slowest_requests(opened, PERIOD, 50)),
        candidates=len(read_dearest_candidates(opened, PERIOD, 50, [0])),
        arrivals=read_arrivals(opened, PERIOD).read_all(),
    )  # fmt: skip


def at_begin(machine: object, _: int) -> int:
    return {CHEAP: 178_500, DEAR: 706_832}[machine]  # type: ignore[index]


@pytest.mark.parametrize("archived", [False, True])
def test_hours_in_place_of_minutes_and_files_in_place_of_rows_change_no_figure_of_the_hour(
    tmp_path: Path, archived: bool
) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, fleet_facts(), now_us=1)
    hour = Period(MONDAY_US, MONDAY_US + HOUR_US)
    with open_reader(database) as opened:
        by_minute = everything_of_an_hour(opened)
        assert read_resolution(opened, hour) == MINUTE_US
    if archived:
        next_day_us = (MONDAY_US // DAY_US + 1) * DAY_US
        assert archive_before(database, next_day_us, now_us=next_day_us)
    with open_writer(database) as opened:
        fold_minutes(opened, MONDAY_US + HOUR_US)
    with open_reader(database) as opened:
        assert everything_of_an_hour(opened) == by_minute
        assert read_resolution(opened, hour) == HOUR_US
        # The last minutes of an hour that is rolled up whole are still found by their records.
        late = Period(PERIOD.to_us - MINUTE_US, PERIOD.to_us)
        came = [r for r in TRUTH.came(late, EVERYTHING) if is_request(r)]
        slowest = read_slowest_requests(opened, late, 10)
        assert [r.total_us for r in slowest] == sorted(r.total_us for r in came)[:-11:-1]
        latest = read_latest_requests(opened, 100_000, period=late)
        assert len(latest) == len(TRUTH.came(late, EVERYTHING))
        assert all(r.busy for r in latest if r.executed and r.node_id != "node-4")


def test_whole_days_of_a_longer_period_are_read_as_days(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    facts = fleet_facts()
    midnight_us = MONDAY_US // DAY_US * DAY_US
    for later_us in range(0, 4 * DAY_US, 10 * HOUR_US):
        samples = [
            structs.replace(s, sampled_at_us=s.sampled_at_us + later_us) for s in facts.samples
        ]
        records = [
            structs.replace(r, arrived_at_us=r.arrived_at_us + later_us, seq=r.seq + later_us)
            for r in facts.records
        ]
        commit(database, Batch(records, samples), now_us=1)
    period = Period(midnight_us + 5 * HOUR_US, midnight_us + 3 * DAY_US + 14 * HOUR_US)

    def read(step_us: int | None) -> Counter[object]:
        """Return sums by what they are of, those of all steps together."""
        found: Counter[object] = Counter()
        with open_reader(database) as opened:
            for part in read_breakdown(opened, period, [By.MODEL], [0], step_us=step_us):
                found[part.key, "requests"] += part.totals.requests
                found[part.key, "items"] += part.totals.items
                found[part.key, "total_us"] += part.totals.total_us
                found[part.key, "cost"] += direct_cost(part.busy, at_begin)  # type: ignore[assignment]
                for bucket, requests in part.latency.items():
                    found[part.key, bucket] += requests
            for machine in read_utilization(
                opened, period, step_us or period.length_us, by=[By.CLOUD]
            ):
                found[machine.key, "capacity_us"] += machine.capacity_us
        return found

    by_minute = read(HOUR_US)
    assert by_minute[("digits",), "requests"] > 0
    assert read(None) == by_minute
    with open_writer(database) as opened:
        fold_minutes(opened, midnight_us + 3 * DAY_US)
    assert read(None) == read(HOUR_US) == by_minute
    with open_writer(database) as opened:
        # Hours of the two days that lie whole in the period: only its steps need them.
        for table in ("usage_hour", "latency_hour", "node_hour"):
            opened.execute(
                f"DELETE FROM {table} WHERE hour_us BETWEEN $from AND $from + 2 * $day - 1",
                {"from": midnight_us + DAY_US, "day": DAY_US},
            )
    assert read(None) == by_minute
    assert read(HOUR_US) != by_minute


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
