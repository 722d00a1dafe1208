"""Figures of a slice: exact parts of a whole that stays what it was."""

from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from costs import Catalogue, Machine, Price
from reports import WINDOWS, Overview, Window, load_overview, load_request_costs
from store import EVERYTHING, HOUR_US, MINUTE_US, Batch, Filter, commit, open_writer
from store.compaction import fold_minutes
from tests.fixtures_usage import MONDAY_US, traffic, usage_record

END_US = MONDAY_US + 12 * MINUTE_US
QUARTER_HOUR, WEEK = WINDOWS[0], WINDOWS[4]
CHEAP = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
DEAR = Machine("aws", "us-east-1", "g6.xlarge", "spot")
CATALOGUE = Catalogue(
    [Price(CHEAP, 178_500, None, "2025", "test"), Price(DEAR, 900_000, None, "2025", "test")]
)
TENANTS = ("shop", "search", "internal")


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Return twelve minutes of a cheap machine and of a dear one."""
    one = traffic(MONDAY_US, END_US, per_second=8)
    other = {"node_id": "node-2", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
    dear = {"instance_type": "g6.xlarge", "purchase_option": "spot"}
    two = traffic(MONDAY_US, END_US, per_second=4, seed=8, node={**other, **dear})
    records = [msgspec.structs.replace(record, **other) for record in two.records]
    return Batch(one.records + records, one.samples + two.samples)


@pytest.fixture(scope="module")
def database(batch: Batch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filter") / "usage.duckdb"
    commit(path, batch, now_us=END_US)
    return path


def overview(database: Path, where: Filter, window: Window | None = QUARTER_HOUR) -> Overview:
    found = load_overview(database, CATALOGUE, window, END_US, where)
    assert found is not None
    return found


def test_direct_costs_of_all_tenants_sum_to_the_direct_cost_of_the_whole(database: Path) -> None:
    whole = overview(database, EVERYTHING).current
    parts = [overview(database, Filter(tenant=(name,))).current for name in TENANTS]
    assert sum(part.own_direct for part in parts) == whole.own_direct == whole.cost.direct
    assert sum(part.requests for part in parts) == whole.requests
    assert whole.others == 0


def test_own_others_and_idle_cost_of_a_slice_are_the_machine_cost(database: Path) -> None:
    whole = overview(database, EVERYTHING)
    found = overview(database, Filter(tenant=("shop",)))
    for shown, all_of_it in zip(found.steps, whole.steps, strict=True):
        step = shown[1]
        assert step.own_direct + step.others + step.cost.idle == step.cost.machine
        assert step.cost == all_of_it[1].cost
    assert found.current.cost == whole.current.cost
    assert found.current.others > 0


def test_a_slice_has_direct_cost_per_request_and_none_with_idle_time(
    database: Path, batch: Batch
) -> None:
    found = overview(database, Filter(tenant=("shop",))).current
    served = [r for r in batch.records if r.tenant == "shop" and r.status < 400]
    direct = sum(
        Fraction(
            r.compute_us * r.items * (178_500 if r.node_id == "node-1" else 900_000),
            r.batch_size * 2,
        )
        for r in batch.records
        if r.tenant == "shop" and r.batch_size
    )
    assert found.own_direct == direct
    assert found.usd_per_1000 is None
    assert found.direct_usd_per_1000 == pytest.approx(
        float(direct) / 3.6e15 / len(served) * 1000, rel=1e-12
    )


def test_a_filter_on_machines_alone_keeps_direct_plus_idle_equal_to_machine(
    database: Path,
) -> None:
    parts = [
        overview(database, Filter(instance_type=(name,))) for name in ("c7i.xlarge", "g6.xlarge")
    ]
    whole = overview(database, EVERYTHING)
    assert [part.sliced for part in parts] == [False, False]
    for part, rate in zip(parts, (178_500, 900_000), strict=True):
        cost = part.current.cost
        assert cost.machine == 12 * MINUTE_US * rate
        assert cost.direct + cost.idle == cost.machine
        assert part.current.usd_per_1000 is not None
    assert sum(part.current.cost.machine for part in parts) == whole.current.cost.machine
    assert sum(part.current.cost.direct for part in parts) == whole.current.cost.direct
    assert [fleet.machine for fleet in parts[1].fleets] == [DEAR]


def test_a_filter_on_both_shows_the_slice_on_the_matching_machines(database: Path) -> None:
    found = overview(database, Filter(tenant=("shop",), node_id=("node-2",)))
    machines = overview(database, Filter(node_id=("node-2",)))
    assert found.sliced
    assert found.current.cost == machines.current.cost
    assert 0 < found.current.own_direct < machines.current.cost.direct


def test_latest_requests_are_those_of_the_filter_and_of_the_window(
    database: Path, batch: Batch
) -> None:
    where = Filter(tenant=("internal",), node_id=("node-1",))
    now_us = END_US + 8 * MINUTE_US
    found = load_request_costs(database, CATALOGUE, 10**6, where, QUARTER_HOUR, now_us)
    assert {row.request.tenant for row in found.rows} == {"internal"}
    shown = found.shown
    assert shown is not None
    # Nothing is stored of the last minutes, so the window ends with the data.
    assert shown.period.to_us == END_US
    expected = [r for r in batch.records if r.tenant == "internal" and r.node_id == "node-1"]
    assert len(found.rows) == len(expected)


def test_fully_loaded_costs_of_all_slices_sum_to_the_machine_cost(database: Path) -> None:
    whole = load_request_costs(database, CATALOGUE, 10**6)
    parts = [
        load_request_costs(database, CATALOGUE, 10**6, Filter(tenant=(name,))) for name in TENANTS
    ]
    assert all(part.period == whole.period for part in parts)
    loaded = sum(row.fully_loaded or 0 for part in parts for row in part.rows)
    assert loaded == sum(row.fully_loaded or 0 for row in whole.rows)
    assert loaded == overview(database, EVERYTHING, None).current.cost.machine


def test_minutes_that_became_hours_are_shown_as_whole_hours_with_the_same_sums(
    tmp_path: Path, batch: Batch
) -> None:
    path = tmp_path / "usage.duckdb"
    commit(path, batch, now_us=END_US)
    before = overview(path, Filter(tenant=("shop",)))
    with open_writer(path) as connection:
        fold_minutes(connection, MONDAY_US + HOUR_US)
    after = overview(path, Filter(tenant=("shop",)))
    assert after.step_us == HOUR_US
    assert (after.period.from_us, after.period.to_us) == (MONDAY_US, MONDAY_US + HOUR_US)
    assert after.current.own_direct == before.current.own_direct
    assert after.current.cost == before.current.cost
    assert after.current.p99_ms == before.current.p99_ms
    assert after.spend_now_usd_per_hour == pytest.approx(0.1785 + 0.9)
    costs = load_request_costs(path, CATALOGUE, 10, EVERYTHING, QUARTER_HOUR, END_US)
    assert len(costs.rows) == 10
    assert costs.period is not None
    assert costs.period.length_us == HOUR_US


def test_windows_of_days_are_of_whole_hours(database: Path) -> None:
    found = overview(database, EVERYTHING, WEEK)
    assert found.period.to_us == MONDAY_US + HOUR_US
    assert found.period.length_us == WEEK.length_us
    assert found.step_us == HOUR_US
    assert found.current.cost == overview(database, EVERYTHING).current.cost


def test_a_filter_that_accepts_nothing_is_no_division_by_zero(database: Path) -> None:
    for where in (Filter(tenant=("ghost",)), Filter(region=("mars",))):
        found = overview(database, where)
        assert found.current.requests == 0
        assert found.current.p99_ms is None
        assert load_request_costs(database, CATALOGUE, 5, where).rows == []


def test_unmeasured_requests_are_counted_of_the_slice_only(tmp_path: Path) -> None:
    records = [
        usage_record(tenant=name, seq=n, record_id=f"0198c0de-0000-7000-8000-00000000000{n}")
        for n, name in enumerate(("shop", "shop", "search"), start=1)
    ]
    commit(tmp_path / "db", Batch(records), now_us=MONDAY_US)
    found = load_overview(tmp_path / "db", CATALOGUE, None, MONDAY_US, Filter(tenant=("shop",)))
    assert found is not None
    assert found.unmeasured_requests == 2
