"""What a review says of what is missing, has no price or never ran."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from costs import Catalogue, Machine, Price, PriceBook
from costs.resources import CacheService, Resources
from reports.weekly import Week, load_weekly, to_html
from reports.weekly.headline import headline
from store import DAY_US, HOUR_US, Batch, Dropped, Filter, commit
from tests.fixtures_usage import rejected_line, usage_record
from tests.integration.weekly_review import (
    BEFORE_US,
    END_US,
    MACHINE,
    MICRO_USD_PER_HOUR,
    START_US,
    TARGETS,
    WEEK,
    review,
    shipped_book,
)
from tests.weeks_of_facts import commit_hours, hour_of_facts


def test_a_first_week_has_no_predecessor_and_says_how_little_is_stored(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, END_US - 10 * HOUR_US, END_US)
    found = review(database)
    assert found.before is None
    assert (found.freshness.hours, found.freshness.hours_missing) == (168, 158)
    assert not found.weeks[-1].whole
    assert found.spend == review(database).spend
    assert "with no record of the week before to compare with" in headline(found)
    assert "with 158 of its 168 hours missing" in headline(found)
    next_week = review(database, WEEK.plus(1), END_US + 8 * DAY_US)
    assert next_week.now is None
    assert headline(next_week) == "Nothing is recorded of week 48 of 2025."
    assert to_html(next_week)


def test_weeks_without_any_fact_are_empty_whenever_they_are(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + HOUR_US)
    for week in (Week(2001, 1), Week(2026, 53), Week(2098, 52)):
        found = review(database, week)
        assert found.now is None
        assert found.before is None
        assert found.freshness.hours_missing == 168
        assert found.reconciliation.sums == ()
        assert to_html(found)
    assert not review(database, Week(2098, 52)).ended


def test_a_week_without_machines_costs_what_is_paid_for_all_the_same(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US, BEFORE_US + HOUR_US)
    commit_hours(database, END_US, END_US + HOUR_US, first_seq=100)
    cache = CacheService("redis", "aws", "us-east-1", 10_000, 0, None)
    book = PriceBook(
        shipped_book().machines, resources=Resources(caches=(cache,), egress_to="none")
    )
    found = review(database, book=book)
    assert found.spend == 168 * HOUR_US * 10_000
    assert "cost 1.68 USD" in headline(found)
    assert "with 168 of its 168 hours missing; no request came" in headline(found)
    assert found.reconciliation.exact
    assert found.weeks[-1].counted == found.now
    # Nothing is known of the time before the first fact.
    assert review(database, WEEK.plus(-2), book=book).now is None
    assert [week.counted is None for week in found.weeks] == [True] * 4 + [False] * 2


def test_a_database_without_facts_has_no_review(tmp_path: Path) -> None:
    commit(tmp_path / "f", Batch(rejected=[rejected_line()]), now_us=1)
    assert load_weekly(tmp_path / "f", shipped_book(), TARGETS, WEEK, END_US) is None


def test_what_is_missing_is_told_and_what_is_not_counted_is_not_free(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + 20 * HOUR_US)
    commit_hours(
        database, START_US + 23 * HOUR_US, END_US, first_seq=1_000, node={"records_dropped": 4}
    )
    other: dict[str, Any] = {"node_id": "odd", "boot_id": str(uuid7())}
    records, sample = hour_of_facts(START_US, 1, node={"instance_type": "homebrew"}, **other)
    lost = usage_record(arrived_at_us=START_US, node_id="lost", boot_id=str(uuid7()))
    batch = Batch([*records, lost], [sample], rejected=[rejected_line(), rejected_line()])
    commit(database, batch, now_us=START_US + HOUR_US)
    # In another week, and therefore none of this one's concern.
    commit(database, Batch(rejected=[rejected_line()]), now_us=END_US + HOUR_US)
    found = review(database)
    coverage = found.coverage
    assert found.freshness.hours_missing == 3
    assert coverage.missing_records == 1_000 - 61
    assert coverage.dropped == (Dropped("node-1", 4),)
    assert coverage.rejected_lines == 2
    assert coverage.unmeasured_requests == 1
    assert [machine.instance_type for machine in coverage.unpriced] == ["homebrew"]
    assert found.now is not None
    assert found.now.cost is not None
    assert found.now.cost.machine == 165 * HOUR_US * MICRO_USD_PER_HOUR
    assert found.reconciliation.exact
    assert "without 1 kind of machine of unknown price" in headline(found)


def test_a_fleet_without_any_price_has_an_unknown_spend(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    node = {"instance_type": "homebrew", "cloud": "own", "region": "cellar"}
    commit_hours(database, START_US, START_US + 5 * HOUR_US, node=node)
    found = review(database)
    assert found.spend is None
    assert headline(found).startswith("The spend of week 47 of 2025 is unknown: no price is known")
    assert found.coverage.unpriced_bytes == ("bytes from own cellar to the internet",)
    free = Catalogue(
        [Price(Machine(**node, purchase_option="on_demand"), 0, None, "2025-11", "us")]
    )
    assert review(database, book=PriceBook(free)).spend == 0


def test_a_price_looked_up_more_than_a_year_before_the_week_is_told(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + HOUR_US)

    def old(as_of: str) -> int:
        prices = Catalogue([Price(MACHINE, 1, None, as_of, "test")])
        return len(review(database, book=PriceBook(prices)).coverage.old_prices)

    assert [old(as_of) for as_of in ("2024-11-22", "2024-11-24", "2025-11")] == [1, 0, 0]


def test_simulated_requests_are_counted_told_and_left_out_on_demand(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + 4 * HOUR_US)
    made_up: dict[str, Any] = {"node_id": "sim", "boot_id": str(uuid7()), "origin": "simulated"}
    commit_hours(database, START_US, START_US + 6 * HOUR_US, **made_up)
    both = review(database)
    assert both.now is not None
    assert (both.now.simulated_requests, both.now.simulated, both.now.measured) == (18, True, True)
    # A price need not be renewed for machines that never ran.
    old = PriceBook(Catalogue([Price(MACHINE, 1, None, "2020", "test")]))
    assert len(review(database, book=old).coverage.old_prices) == 1
    assert not review(database, book=old, where=Filter(simulated=("yes",))).coverage.old_prices
    assert "18 simulated requests included" in headline(both)
    measured = review(database, where=Filter(simulated=("no",)))
    assert "simulated" not in headline(measured)
    assert measured.now is not None
    assert (measured.now.simulated_requests, measured.now.simulated) == (0, False)
    assert measured.now.figures.requests == 12
    assert measured.spend == Fraction(both.spend or 0) * 4 / 10
    # A condition on requests is none on what a review is of.
    assert review(database, where=Filter(tenant=("nobody",))).now == both.now


def test_simulated_weeks_are_told_from_measured_ones(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    made_up: dict[str, Any] = {"node_id": "sim", "boot_id": str(uuid7()), "origin": "simulated"}
    commit_hours(database, WEEK.plus(-2).period.from_us, START_US, requests=1, **made_up)
    commit_hours(database, START_US, END_US, requests=1)
    found = review(database)
    assert [week.simulated for week in found.weeks] == [False] * 3 + [True] * 2 + [False]
    assert [month.simulated for month in found.months] == [False] * 11 + [True]
    assert "as much as the week before (all of it simulated); p99" in headline(found)
    before = review(database, WEEK.plus(-1))
    assert "as much as the week before, all of it simulated; p99" in headline(before)
    # A machine that was made up and got no request is no measurement either.
    idle = WEEK.plus(1).period
    commit_hours(database, idle.from_us, idle.to_us, requests=0, first_seq=10**6, **made_up)
    after = review(database, WEEK.plus(1), idle.to_us)
    assert "all of it simulated; no request came" in headline(after)


def test_a_week_before_that_is_hardly_recorded_is_not_compared_with(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US + 2 * DAY_US, END_US, requests=1)
    found = review(database)
    assert found.bridge is None
    assert "with too little recorded of the week before to compare with" in headline(found)
    assert "There is too little recorded of the week before to compare with." in to_html(found)


def test_hours_that_the_week_before_lacks_are_told_beside_it(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US, BEFORE_US + 10 * HOUR_US, requests=1)
    commit_hours(database, BEFORE_US + 20 * HOUR_US, END_US, requests=1, first_seq=1_000)
    found = review(database)
    assert found.freshness.missing_before == 10
    assert "6.3% more than the week before (with 10 of its 168 hours missing)" in headline(found)
    assert "Of the week before, 10 of as many hours are missing." in to_html(found)
