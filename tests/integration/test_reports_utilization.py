"""Utilisation figures against the samples and records they come from."""

from pathlib import Path

import msgspec
import pytest

from reports import WINDOWS, UtilizationReport, load_utilization
from store import MINUTE_US, Batch, Filter, commit
from tests.fixtures_usage import MONDAY_US, node_sample, rejected_line, traffic

END_US = MONDAY_US + 10 * MINUTE_US
QUARTER_HOUR = WINDOWS[0]


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Return ten minutes of a node, and the last five of another with three workers and a GPU."""
    one = traffic(MONDAY_US, END_US, per_second=20)
    other = {"node_id": "node-2", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
    more = {
        "workers_ready": 3,
        "queue_depth": 2,
        "memory_bytes": 2**31,
        "gpu_utilization": 0.25,
        "gpu_memory_bytes": 2**33,
        "gpu_power_w": 80.0,
        "instance_type": "g6.xlarge",
    }
    two = traffic(END_US - 5 * MINUTE_US, END_US, per_second=5, seed=8, node={**other, **more})
    records = [msgspec.structs.replace(record, **other) for record in two.records]
    return Batch(one.records + records, one.samples + two.samples)


@pytest.fixture(scope="module")
def database(batch: Batch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("utilization") / "usage.duckdb"
    commit(path, batch, now_us=END_US)
    return path


def report(database: Path, where: Filter | None = None) -> UtilizationReport:
    found = load_utilization(database, QUARTER_HOUR, END_US, where or Filter())
    assert found is not None
    return found


def test_utilization_is_busy_time_of_the_time_workers_were_ready(
    database: Path, batch: Batch
) -> None:
    total = report(database).total
    assert total is not None
    assert total.busy_us == sum(sample.busy_us for sample in batch.samples)
    capacity = sum(sample.interval_us * sample.workers_ready for sample in batch.samples)
    assert total.utilization == pytest.approx(total.busy_us / capacity)
    assert total.nodes == 2


def test_workers_of_all_nodes_are_counted_together_step_by_step(database: Path) -> None:
    found = report(database)
    assert [step.ready for step in found.workers] == [2.0] * 5 + [5.0] * 5
    for workers, step in zip(found.workers, found.steps, strict=True):
        assert workers.busy == pytest.approx(step.busy_us / MINUTE_US)


def test_batch_fill_is_items_by_batches_that_were_executed(database: Path, batch: Batch) -> None:
    executed = [r for r in batch.records if r.batch_size]
    batches = {(r.boot_id, r.batch_id) for r in executed}
    found = report(database).mean_batch
    assert found == pytest.approx(sum(r.items for r in executed) / len(batches))
    assert found is not None
    assert found > 1


def test_the_gpu_is_measured_over_the_time_there_was_one(database: Path) -> None:
    total = report(database).total
    assert total is not None
    assert total.gpu_uptime_us == 5 * MINUTE_US
    assert total.gpu_utilization == pytest.approx(0.25)
    assert total.gpu_energy_j == pytest.approx(80 * 300)
    assert total.gpu_memory_bytes_max == 2**33
    alone = report(database, Filter(node_id=("node-1",))).total
    assert alone is not None
    assert alone.gpu_utilization is None


def test_nodes_are_told_apart_with_the_type_of_their_machine(database: Path) -> None:
    found = report(database).nodes
    assert [node.key for node in found] == [("node-1", "c7i.xlarge"), ("node-2", "g6.xlarge")]
    assert [node.workers_ready for node in found] == [2.0, 3.0]
    assert [node.queue_depth for node in found] == [0.0, 2.0]


def test_a_filter_on_requests_restricts_batches_and_no_machine(
    database: Path, batch: Batch
) -> None:
    whole, some = report(database), report(database, Filter(tenant=("internal",)))
    assert some.total == whole.total
    assert some.steps == whole.steps
    assert some.points == whole.points
    items = sum(r.items for r in batch.records if r.tenant == "internal" and r.batch_size)
    assert sum(step.items for step in some.fill) == items


def test_a_point_of_load_per_step_has_what_its_machines_left_idle(database: Path) -> None:
    points = report(database).points
    assert len(points) == 10
    assert all(0.9 < point.idle_share <= 1 for point in points)
    assert points[-1].requests_per_machine_s < points[0].requests_per_machine_s


def test_an_idle_node_has_no_batch_and_a_busy_one_of_the_past_no_window(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    commit(path, Batch(samples=[node_sample()]), now_us=1)
    found = load_utilization(path, QUARTER_HOUR, MONDAY_US + MINUTE_US)
    assert found is not None
    assert found.mean_batch is None
    assert found.previous is None
    commit(path, Batch(rejected=[rejected_line()]), now_us=2)
    assert load_utilization(path, QUARTER_HOUR, MONDAY_US + MINUTE_US) is not None


def test_a_database_without_facts_has_no_utilization(tmp_path: Path) -> None:
    commit(tmp_path / "usage.duckdb", Batch(rejected=[rejected_line()]), now_us=1)
    assert load_utilization(tmp_path / "usage.duckdb", QUARTER_HOUR, END_US) is None
