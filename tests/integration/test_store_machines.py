"""What machines did is read as plain Python makes it of the same samples: use, load, batches."""

from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import (
    EVERYTHING,
    MINUTE_US,
    Batch,
    By,
    Dropped,
    Filter,
    Period,
    commit,
    open_reader,
    read_batch_fill,
    read_dropped,
    read_load_points,
    read_uptimes,
    read_utilization,
)
from tests.fixtures_usage import MONDAY_US, SECOND_US, usage_record
from tests.integration.truth_queries import (
    FILTERS,
    PERIODS,
    STEPS,
    TRUTH,
    Stored,
    few,
)
from tests.integration.usage_truth import (
    CHANGES,
    MACHINES,
    PERIOD,
    accepts_machine,
    by_step,
    is_request,
    step_of,
)
from usage import NodeSample


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
