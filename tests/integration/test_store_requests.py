"""Single requests are found as plain Python finds them: latest, slowest, dearest, in order."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from costs import direct_cost
from store import (
    ARRIVAL_COLUMNS,
    Filter,
    Period,
    read_arrivals,
    read_dearest_candidates,
    read_latest_requests,
    read_slowest_requests,
)
from tests.integration.truth_queries import (
    FILTERS,
    PERIODS,
    TRUTH,
    Stored,
    few,
    logged_ids,
)
from tests.integration.usage_truth import (
    CHANGES,
    PERIOD,
    is_request,
    rate,
)


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
