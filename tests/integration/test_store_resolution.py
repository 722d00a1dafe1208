"""Hours and days in place of minutes, files in place of rows: no figure changes."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from costs import direct_cost
from store import (
    EVERYTHING,
    HOUR_US,
    MINUTE_US,
    Batch,
    By,
    Filter,
    Period,
    commit,
    heat_map,
    open_reader,
    open_writer,
    read_arrivals,
    read_batch_fill,
    read_breakdown,
    read_cache_savings,
    read_dearest_candidates,
    read_dropped,
    read_latency,
    read_latest_requests,
    read_load_points,
    read_resolution,
    read_slowest_requests,
    read_stages,
    read_utilization,
)
from store.archive import archive_before
from store.compaction import fold_minutes
from store.period import DAY_US
from tests.fixtures_usage import MONDAY_US
from tests.integration.truth_queries import (
    TRUTH,
    at_begin,
    logged_ids,
)
from tests.integration.usage_truth import (
    CHANGES,
    PERIOD,
    fleet_facts,
    is_request,
)

# Hypothesis keeps this module beyond the end of DuckDB's, which then complains of leaked types.
if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
    shifts_us = range(0, 4 * DAY_US, 10 * HOUR_US)
    samples = [
        structs.replace(s, sampled_at_us=s.sampled_at_us + later_us)
        for later_us in shifts_us
        for s in facts.samples
    ]
    records = [
        structs.replace(r, arrived_at_us=r.arrived_at_us + later_us, seq=r.seq + later_us)
        for later_us in shifts_us
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
