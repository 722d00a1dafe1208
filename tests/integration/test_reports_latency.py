"""Latency figures against the records they come from."""

import math
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from reports import WINDOWS, LatencyReport, load_latency, quantile, share_above
from reports.quantiles import ENOUGH_TAIL
from store import MINUTE_US, Batch, By, Filter, commit
from tests.fixtures_usage import MONDAY_US, rejected_line, traffic
from usage import UsageRecord

END_US = MONDAY_US + 10 * MINUTE_US
QUARTER_HOUR = WINDOWS[0]
ERROR = 0.011  # buckets are within 1 %, and the limit lies in one of them


@pytest.fixture(scope="module")
def records() -> list[UsageRecord]:
    found = traffic(MONDAY_US, END_US, per_second=12).records
    return [
        msgspec.structs.replace(record, model="digits" if n % 3 else "letters")
        for n, record in enumerate(found)
    ]


@pytest.fixture(scope="module")
def database(records: list[UsageRecord], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("latency") / "usage.duckdb"
    commit(path, Batch(records, traffic(MONDAY_US, END_US, per_second=12).samples), now_us=END_US)
    return path


@pytest.fixture(scope="module")
def report(database: Path) -> LatencyReport:
    found = load_latency(database, QUARTER_HOUR, END_US, by=(By.MODEL,))
    assert found is not None
    return found


def latencies(records: list[UsageRecord], **fields: object) -> list[int]:
    return sorted(
        r.total_us
        for r in records
        if r.status < 400 and all(getattr(r, name) == value for name, value in fields.items())
    )


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99, 0.999])
def test_quantiles_are_those_of_the_records(
    report: LatencyReport, records: list[UsageRecord], q: float
) -> None:
    exact = latencies(records)
    found = quantile(report.counts, q)
    assert found.ms == pytest.approx(exact[math.ceil(q * len(exact)) - 1] / 1000, rel=ERROR)
    assert found.tail == len(exact) - math.ceil(q * len(exact))
    assert found.supported == (found.tail >= ENOUGH_TAIL)


def test_a_quantile_is_supported_by_a_hundred_slower_requests_and_not_by_fewer() -> None:
    assert quantile({100: 10_000}, 0.99).tail == 100
    assert quantile({100: 10_000}, 0.99).supported
    assert not quantile({100: 9_999}, 0.99).supported
    assert quantile({100: 1_000}, 0.9).tail == 100
    assert quantile({}, 0.5).ms is None


@pytest.mark.parametrize("limit_ms", [0.001, 2.0, 3.7, 10.0, 10_000.0])
def test_the_share_above_a_limit_is_that_of_the_records(
    report: LatencyReport, records: list[UsageRecord], limit_ms: float
) -> None:
    exact = latencies(records)
    found = share_above(report.counts, limit_ms)
    assert found is not None
    low, high = (
        sum(us > 1000 * limit_ms * factor for us in exact) / len(exact)
        for factor in (1 + ERROR, 1 - ERROR)
    )
    assert low - 1e-9 <= found <= high + 1e-9


def test_steps_and_groups_add_up_to_the_window(
    report: LatencyReport, records: list[UsageRecord]
) -> None:
    by_step = sum((Counter(counts) for _, counts in report.steps), Counter[int]())
    by_group = sum((Counter(group.latency) for group in report.groups), Counter[int]())
    assert by_step == by_group == Counter(report.counts)
    assert sum(report.counts.values()) == len(latencies(records))
    assert sum(report.heat_map.counts.values()) == len(latencies(records))
    assert sum(group.requests for group in report.groups) == len(records)


def test_each_group_has_its_own_counts_most_requests_first(
    report: LatencyReport, records: list[UsageRecord]
) -> None:
    assert [group.key for group in report.groups] == [("digits",), ("letters",)]
    for group in report.groups:
        mine = [r for r in records if r.model == group.key[0]]
        assert group.requests == len(mine)
        assert group.failures == sum(r.status >= 400 for r in mine)
        assert sum(group.latency.values()) == len(latencies(records, model=group.key[0]))


def test_stages_sum_to_the_time_of_executed_requests(
    report: LatencyReport, records: list[UsageRecord]
) -> None:
    executed = [r for r in records if r.status < 400 and r.batch_size]
    assert sum(step.requests for step in report.stages) == len(executed)
    assert sum(step.queue_us for step in report.stages) == sum(r.queue_us for r in executed)
    assert sum(step.compute_us for step in report.stages) == sum(r.compute_us for r in executed)
    assert sum(step.total_us for step in report.stages) == sum(r.total_us for r in executed)


def test_a_filter_is_that_of_every_figure(database: Path, records: list[UsageRecord]) -> None:
    where = Filter(model=("letters",), tenant=("shop",))
    found = load_latency(database, QUARTER_HOUR, END_US, where, (By.MODEL, By.TENANT))
    assert found is not None
    mine = latencies(records, model="letters", tenant="shop")
    assert sum(found.counts.values()) == sum(found.heat_map.counts.values()) == len(mine)
    assert [group.key for group in found.groups] == [("letters", "shop")]


def test_the_window_before_is_compared_with_where_enough_of_it_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    later_us = MONDAY_US + 30 * MINUTE_US
    commit(path, traffic(MONDAY_US, later_us, per_second=2), now_us=later_us)
    found = load_latency(path, QUARTER_HOUR, later_us)
    assert found is not None
    assert found.previous
    longer = load_latency(path, WINDOWS[1], later_us)
    assert longer is not None
    assert longer.previous is None


def test_a_database_without_facts_has_no_latency(tmp_path: Path) -> None:
    commit(tmp_path / "usage.duckdb", Batch(rejected=[rejected_line()]), now_us=1)
    assert load_latency(tmp_path / "usage.duckdb", QUARTER_HOUR, END_US) is None
