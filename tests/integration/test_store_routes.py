"""What was executed on behalf of a request has a cost and is counted as no request."""

from pathlib import Path

import pytest

from store import (
    MINUTE_US,
    Batch,
    Period,
    commit,
    open_reader,
    read_busy_times,
    read_latest_requests,
    read_state,
    read_traffic,
)
from store.latency_histogram import bucket_of
from tests.fixtures_usage import MONDAY_US, SECOND_US, node_sample, on_behalf, usage_record

HOUR = Period(MONDAY_US, MONDAY_US + 60 * MINUTE_US)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("route", ["shadow", "cascade_attempt"])
def test_what_is_executed_on_behalf_of_a_request_costs_time_and_is_no_request(
    database: Path, route: str
) -> None:
    execution = on_behalf(route=route)
    alone = on_behalf(route=route, seq=3, arrived_at_us=MONDAY_US + MINUTE_US)
    samples = [node_sample(), node_sample(sampled_at_us=MONDAY_US + MINUTE_US + SECOND_US)]
    # In one commit and in the next: both ways of a rollup, insert and update.
    for records in ([usage_record(), execution], [execution, alone]):
        commit(database, Batch(records, samples), now_us=1)
    with open_reader(database) as connection:
        [step] = read_traffic(connection, HOUR, MINUTE_US)
        [whole] = read_traffic(connection, HOUR, HOUR.length_us)
        busy = read_busy_times(connection, HOUR, HOUR.length_us, [0])
        assert read_state(connection).records == 1
    assert (step.from_us, step.requests, step.failures) == (MONDAY_US, 1, 0)
    assert step.latency == whole.latency == {bucket_of(2_080): 1}
    assert whole.requests == 1
    used = {time.batch_size: time.item_us for _, time in busy.rows}
    assert used == {1: 1_500, 4: 3 * 3 * 9_000}
    assert busy.unmeasured == {}
    sums = "requests, items, queue_us, total_us, request_bytes, response_bytes, compute_us"
    selected = ", ".join(f"sum({name})::BIGINT" for name in sums.split(", "))
    assert rows(database, f"SELECT {selected} FROM usage_minute WHERE batch_size = 4") == [
        (0, 0, 0, 0, 0, 0, 3 * 9_000)
    ]
    assert rows(database, "SELECT sum(requests)::BIGINT FROM latency_minute") == [(1,)]


def test_an_execution_on_behalf_of_a_request_is_no_unmeasured_request(database: Path) -> None:
    commit(database, Batch([usage_record(), on_behalf()]), now_us=1)
    with open_reader(database) as connection:
        assert read_busy_times(connection, HOUR, MINUTE_US, [0]).unmeasured == {MONDAY_US: 1}


def test_where_only_such_executions_are_unmeasured_no_request_is(database: Path) -> None:
    commit(database, Batch([on_behalf()]), now_us=1)
    with open_reader(database) as connection:
        busy = read_busy_times(connection, HOUR, MINUTE_US, [0])
    assert (busy.rows, dict(busy.unmeasured)) == ([], {})


def test_the_other_routes_are_requests_like_any_other(database: Path) -> None:
    routes = ("direct", "split", "cascade")
    records = [usage_record(seq=seq, route=route) for seq, route in enumerate(routes, 1)]
    commit(database, Batch(records, [node_sample()]), now_us=1)
    with open_reader(database) as connection:
        [step] = read_traffic(connection, HOUR, MINUTE_US)
    assert step.requests == sum(step.latency.values()) == 3
    assert rows(database, "SELECT DISTINCT requests FROM usage_minute") == [(1,)]


def test_the_log_of_requests_names_route_and_parent(database: Path) -> None:
    commit(database, Batch([usage_record(), on_behalf()], [node_sample()]), now_us=1)
    with open_reader(database) as connection:
        shadow, request = read_latest_requests(connection, 10)
    assert (shadow.route, shadow.parent_id) == ("shadow", request.record_id)
    assert (request.route, request.parent_id) == ("direct", None)
    assert (shadow.is_request, request.is_request) == (False, True)
    assert shadow.busy is not None
