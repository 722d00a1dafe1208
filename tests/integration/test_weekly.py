"""The review of a week from a real database: right figures, honest about what is missing."""

import dataclasses
import json
import math
import random
import shutil
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from uuid_utils import uuid7

from costs import TICKS_PER_USD, Catalogue, Machine, Price, PriceBook, to_usd
from costs.budget import Budget, Scope
from reports import WINDOWS, load_overview, load_targets
from reports.costs import load_costs
from reports.price_book import load_price_book
from reports.weekly import (
    Action,
    ActionDraft,
    Status,
    Week,
    WeeklyReview,
    load_weekly,
    to_html,
    to_json,
    to_pdf,
)
from reports.weekly.headline import headline
from store import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    Batch,
    Dropped,
    Filter,
    Retention,
    commit,
    maintain,
    quantile_us,
)
from store.latency_histogram import bucket_of
from tests.fixtures_usage import node_sample, rejected_line, usage_record
from tests.weeks_of_facts import commit_hours, hour_of_facts

ROOT = Path(__file__).parents[2]
WEEK = Week(2025, 47)
START_US, END_US = WEEK.period.from_us, WEEK.period.to_us
BEFORE_US = WEEK.plus(-1).period.from_us
MICRO_USD_PER_HOUR = 178_500
SEVEN_DAYS = next(window for window in WINDOWS if window.label == "7 days")
TARGETS = load_targets(ROOT / "data/targets.toml")
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return load_price_book(ROOT / "data/prices")


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Batch]:
    """Return a database of two weeks, the second busier, slower and failing, and its facts."""
    database = tmp_path_factory.mktemp("two") / "usage.duckdb"
    first = commit_hours(database, BEFORE_US, START_US, requests=2)
    second = commit_hours(
        database,
        START_US,
        END_US,
        first_seq=1 + len(first.records),
        requests=3,
        failures=1,
        total_us=90_000,
        tenant="search",
    )
    return database, Batch([*first.records, *second.records], [*first.samples, *second.samples])


def review(
    database: Path,
    book: PriceBook,
    week: Week = WEEK,
    now_us: int = END_US + DAY_US,
    **more: object,
) -> WeeklyReview:
    found = load_weekly(database, book, TARGETS, week, now_us, **more)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_the_figures_of_a_week_are_those_counted_by_hand(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    database, batch = two_weeks
    found = review(database, book)
    records = [r for r in batch.records if START_US <= r.arrived_at_us < END_US]
    assert found.now is not None
    assert found.now.cost is not None
    figures, cost = found.now.figures, found.now.cost
    assert (figures.requests, figures.failures) == (len(records), 168) == (504, 168)
    assert cost.machine == 168 * HOUR_US * MICRO_USD_PER_HOUR
    assert cost.compute == sum(
        Fraction(r.compute_us * MICRO_USD_PER_HOUR * r.items, 2 * r.batch_size) for r in records
    )
    # 0.09 USD for each GB that leaves us-east-1.
    sent = sum(r.response_bytes for r in records)
    assert cost.network == Fraction(sent * 90_000 * TICKS_PER_USD, 10**9 * 10**6)
    counts = Counter(bucket_of(r.total_us) for r in records if r.status < 400)
    assert figures.p99_ms == (quantile_us(counts, 0.99) or 0) / 1000
    assert found.p99_met is False
    assert found.now.usd_per_1000 == pytest.approx(float(cost.total / TICKS_PER_USD) / 336 * 1000)
    assert found.before is not None
    assert found.before.figures.requests == 336


def test_the_figures_of_a_week_are_those_of_the_other_pages(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    database, _ = two_weeks
    found = review(database, book)
    overview = load_overview(database, book.machines, SEVEN_DAYS, END_US)
    costs = load_costs(database, book, SEVEN_DAYS, END_US)
    assert overview is not None
    assert costs is not None
    assert overview.period == found.period == costs.shown.period
    assert found.now is not None
    assert found.before is not None
    assert found.now.figures == overview.current
    assert found.before.figures == overview.previous
    assert found.now.cost == costs.total
    assert found.before.cost == costs.previous


def test_days_weeks_and_months_add_up_to_each_other(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    database, _ = two_weeks
    found = review(database, book)
    assert found.now is not None
    assert [day.label for day in found.days] == [f"{day:02}" for day in range(10, 24)]
    days = [day.counted for day in found.days if day.counted is not None]
    this_week = days[7:]
    assert sum(day.figures.requests for day in this_week) == 504
    assert sum(day.cost.total for day in this_week if day.cost) == found.spend
    assert [week.label for week in found.weeks] == ["42", "43", "44", "45", "46", "47"]
    assert [week.whole for week in found.weeks] == [False] * 4 + [True] * 2
    assert found.weeks[-1].counted == found.now
    assert found.weeks[-2].counted == found.before
    assert [month.name for month in found.months][::11] == ["Dec 2024", "Nov 2025"]
    november = found.months[-1]
    assert november.counted is not None
    assert november.counted.spend == sum(day.cost.total for day in days if day.cost)
    assert not november.whole
    assert all(month.counted is None for month in found.months[:-1])


def test_every_sum_of_parts_is_the_spend_to_the_last_digit(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    found = review(two_weeks[0], book).reconciliation
    assert found.exact
    assert {part.total for part in found.sums} == {found.whole}
    assert [(part.count, part.name.split(" with")[0]) for part in found.sums] == [
        (7, "days"),
        (1, "model"),
        (1, "tenant"),
        (1, "kind of machine"),
        (3, "drivers"),
    ]


def test_the_drivers_of_the_change_add_up_to_it_and_movers_have_a_cause(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    found = review(two_weeks[0], book)
    assert found.bridge is not None
    assert found.bridge.exact
    assert (found.bridge.before, found.bridge.now) == (found.spend_before, found.spend)
    drivers = {driver.key: driver.change for driver in found.bridge.drivers}
    # The same machines for half as many requests again: L ln(3/2) more, as much less per request.
    hours = 168 * HOUR_US * MICRO_USD_PER_HOUR
    assert float(drivers["volume"]) == pytest.approx(hours * math.log(1.5))
    assert drivers["utilization"] == -drivers["volume"]
    assert drivers["network"] == found.bridge.change
    assert sum(drivers.values()) == found.bridge.change
    # No model costs more or less than before: all of the change is bytes.
    assert found.movers == ()


def test_new_and_retired_models_move_the_cost(tmp_path: Path, book: PriceBook) -> None:
    database = tmp_path / "usage.duckdb"
    seq = 1 + len(commit_hours(database, BEFORE_US, START_US, model="old").records)
    commit_hours(database, START_US, END_US, first_seq=seq, model="<new>")
    found = review(database, book)
    assert [(mover.name, mover.cause) for mover in found.movers] == [
        ("old", "not there any more"),
        ("<new>", "not there before"),
    ]
    assert found.movers[0].change == -found.movers[1].change
    assert found.bridge is not None
    keys = {driver.key for driver in found.bridge.drivers if driver.change}
    assert keys == {"new", "retired"}
    assert "&lt;new&gt;" in to_html(found)


def test_prices_that_change_within_the_week_and_shared_workers_reconcile(tmp_path: Path) -> None:
    random_numbers = random.Random(7)
    database = tmp_path / "usage.duckdb"
    for number, workers in enumerate((1, 3, 7)):
        commit_hours(
            database,
            START_US + number * 5 * HOUR_US,
            START_US + 60 * HOUR_US,
            requests=4,
            compute_us=random_numbers.randrange(1, 10**6),
            batch_size=random_numbers.choice((3, 7)),
            model=f"m{number}",
            node_id=f"node-{number}",
            boot_id=str(uuid7()),
            node={"workers_ready": workers, "busy_us": 0},
        )
    changes = [START_US + n * 13 * HOUR_US for n in range(1, 4)]
    prices = [Price(MACHINE, 999_983, None, "2025-01", "test")]
    prices += [Price(MACHINE, 7 * at % 999_983, at, "2025-01", "test") for at in changes]
    found = review(database, PriceBook(Catalogue(prices)))
    assert found.reconciliation.exact
    assert found.now is not None
    assert found.now.cost is not None
    assert found.now.cost.compute.denominator > 1
    assert found.reconciliation.sums[1].count == 3


def test_the_same_week_is_the_same_once_minutes_became_hours_and_days(
    two_weeks: tuple[Path, Batch], book: PriceBook, tmp_path: Path
) -> None:
    database = tmp_path / "usage.duckdb"
    shutil.copy(two_weeks[0], database)
    before = review(database, book)
    maintain(database, Retention(), now_us=END_US + 30 * DAY_US)
    after = review(database, book)
    assert to_json(after) == to_json(before)
    assert to_html(after) == to_html(before)


def test_a_first_week_has_no_predecessor_and_says_how_little_is_stored(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, END_US - 10 * HOUR_US, END_US)
    found = review(database, book)
    assert found.before is None
    assert (found.freshness.hours, found.freshness.hours_missing) == (168, 158)
    assert not found.weeks[-1].whole
    assert found.spend == review(database, book).spend
    assert "with no record of the week before to compare with" in headline(found)
    assert "with 158 of its 168 hours missing" in headline(found)
    next_week = review(database, book, WEEK.plus(1), END_US + 8 * DAY_US)
    assert next_week.now is None
    assert headline(next_week) == "Nothing is recorded of week 48 of 2025."
    assert to_html(next_week)
    assert to_pdf(next_week)


def test_weeks_without_any_fact_are_empty_whenever_they_are(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    for week in (Week(2001, 1), Week(2026, 53), Week(2098, 52)):
        found = review(two_weeks[0], book, week)
        assert found.now is None
        assert found.before is None
        assert found.freshness.hours_missing == 168
        assert found.reconciliation.sums == ()
        assert to_html(found)
    assert not review(two_weeks[0], book, Week(2098, 52)).ended


def test_a_database_without_facts_has_no_review(tmp_path: Path, book: PriceBook) -> None:
    commit(tmp_path / "f", Batch(rejected=[rejected_line()]), now_us=1)
    assert load_weekly(tmp_path / "f", book, TARGETS, WEEK, END_US) is None


def test_what_is_missing_is_told_and_what_is_not_counted_is_not_free(
    tmp_path: Path, book: PriceBook
) -> None:
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
    found = review(database, book)
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


def test_a_fleet_without_any_price_has_an_unknown_spend(tmp_path: Path, book: PriceBook) -> None:
    database = tmp_path / "usage.duckdb"
    node = {"instance_type": "homebrew", "cloud": "own", "region": "cellar"}
    commit_hours(database, START_US, START_US + 5 * HOUR_US, node=node)
    found = review(database, book)
    assert found.spend is None
    assert headline(found).startswith("The spend of week 47 of 2025 is unknown: no price is known")
    assert found.coverage.unpriced_bytes == ("bytes from own cellar to the internet",)
    free = Catalogue(
        [Price(Machine(**node, purchase_option="on_demand"), 0, None, "2025-11", "us")]
    )
    assert review(database, PriceBook(free)).spend == 0


def test_a_price_looked_up_more_than_a_year_before_the_week_is_told(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + HOUR_US)

    def old(as_of: str) -> int:
        prices = Catalogue([Price(MACHINE, 1, None, as_of, "test")])
        return len(review(database, PriceBook(prices)).coverage.old_prices)

    assert [old(as_of) for as_of in ("2024-11-22", "2024-11-24", "2025-11")] == [1, 0, 0]


def test_simulated_requests_are_counted_told_and_left_out_on_demand(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + 4 * HOUR_US)
    made_up: dict[str, Any] = {"node_id": "sim", "boot_id": str(uuid7()), "origin": "simulated"}
    commit_hours(database, START_US, START_US + 6 * HOUR_US, **made_up)
    both = review(database, book)
    assert both.coverage.simulated_requests == 18
    # A price need not be renewed for machines that never ran.
    old = PriceBook(Catalogue([Price(MACHINE, 1, None, "2020", "test")]))
    assert len(review(database, old).coverage.old_prices) == 1
    assert not review(database, old, where=Filter(simulated=("yes",))).coverage.old_prices
    assert "18 simulated requests included" in headline(both)
    measured = review(database, book, where=Filter(simulated=("no",)))
    assert measured.coverage.simulated_requests == 0
    assert "simulated" not in headline(measured)
    assert measured.now is not None
    assert measured.now.figures.requests == 12
    assert measured.spend == Fraction(both.spend or 0) * 4 / 10
    # A condition on requests is none on what a review is of.
    assert review(database, book, where=Filter(tenant=("nobody",))).now == both.now


def test_a_running_week_counts_whole_hours_and_compares_the_same_ones(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    now_us = START_US + 30 * HOUR_US + 25 * MINUTE_US
    commit_hours(database, BEFORE_US, START_US + 30 * HOUR_US)
    late = usage_record(arrived_at_us=now_us - MINUTE_US, seq=10**6)
    last = node_sample(sampled_at_us=now_us, interval_us=25 * MINUTE_US)
    commit(database, Batch([late], [last]), now_us=now_us)
    found = review(database, book, now_us=now_us)
    assert not found.ended
    assert found.period.to_us == START_US + 30 * HOUR_US
    assert found.now is not None
    assert found.before is not None
    assert found.now.figures.requests == found.before.figures.requests == 90
    assert found.spend == found.spend_before
    assert [day.label for day in found.days] == [f"{day}" for day in range(10, 18)]
    assert [week.whole for week in found.weeks][-2:] == [True, False]
    assert "has cost" in headline(found)
    assert "in its first 1 day 6 hours, as much as the same part of the week before" in headline(
        found
    )
    # Data that stopped is no reason to call a week over before it is, or running once it is.
    stale = review(database, book, now_us=END_US - 1)
    assert (stale.ended, stale.period) == (False, found.period)
    over = review(database, book, now_us=END_US)
    assert over.ended
    assert over.freshness.hours_missing == 168 - 31


def test_the_first_minutes_of_a_week_are_counted_and_not_compared(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US, START_US)
    sample = node_sample(sampled_at_us=START_US + 5 * MINUTE_US, interval_us=5 * MINUTE_US)
    commit(database, Batch([], [sample]), now_us=START_US)
    found = review(database, book, now_us=START_US + 6 * MINUTE_US)
    assert found.period.length_us == 5 * MINUTE_US
    assert found.before is None
    assert found.spend == 5 * MINUTE_US * MICRO_USD_PER_HOUR
    assert found.reconciliation.exact
    assert "in its first 5 minutes" in headline(found)
    assert to_html(found)


def test_weeks_across_new_year_and_the_end_of_a_month(tmp_path: Path, book: PriceBook) -> None:
    database = tmp_path / "usage.duckdb"
    week = Week(2026, 53)
    commit_hours(database, week.period.from_us, week.period.to_us, requests=1)
    found = review(database, book, week, week.period.to_us)
    assert found.spend is not None
    assert [month.name for month in found.months][-2:] == ["Dec 2026", "Jan 2027"]
    parts = [month.counted for month in found.months[-2:]]
    assert [part.figures.requests for part in parts if part] == [4 * 24, 3 * 24]
    assert sum(part.spend or 0 for part in parts if part) == found.spend
    after = review(database, book, Week(2027, 1), week.period.to_us + DAY_US)
    assert after.weeks[-2].name == "2026-W53"
    assert after.weeks[-2].counted == found.now


def test_the_forecast_of_a_steady_month_is_what_it_will_cost(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, WEEK.plus(-5).period.from_us, END_US, requests=0)
    budgets = [Budget(Scope.EVERYTHING, Decimal(130)), Budget(Scope.TENANT, Decimal(1), "shop")]
    found = review(database, book, budgets=budgets)
    assert found.month_end is not None
    # 0.1785 USD an hour, 720 hours in November, 552 of them until the week is over.
    assert found.month_end.forecast_usd == Decimal("128.520000")
    assert found.month_end.earlier_usd == Decimal("128.520000")
    assert to_usd(found.month_end.spent[-1]) == Decimal("0.1785") * 23 * 24
    assert len(found.month_end.spent) == 23
    assert found.month_end.within is True
    assert "November is forecast to end at 128.52 USD, 1.48 USD under its budget" in headline(found)
    tight = review(database, book, budgets=[Budget(Scope.EVERYTHING, Decimal(128))])
    assert tight.month_end is not None
    assert tight.month_end.within is False
    # Two weeks earlier there was too little to forecast from.
    young = review(database, book, WEEK.plus(-3)).month_end
    assert young is not None
    assert (young.forecast_usd, young.days_known) == (None, 21)
    assert young.spent[-1] == 2 * 24 * HOUR_US * MICRO_USD_PER_HOUR


def test_a_month_that_ends_with_the_week_is_told_as_what_it_cost(
    tmp_path: Path, book: PriceBook
) -> None:
    database = tmp_path / "usage.duckdb"
    last = WEEK.plus(1)
    commit_hours(database, last.period.from_us, last.period.to_us + DAY_US, requests=0)
    found = review(database, book, last, last.period.to_us + 2 * DAY_US)
    assert found.month_end is not None
    assert found.month_end.over
    assert found.month_end.forecast_usd == Decimal("29.988")
    assert "November ended at 29.99 USD, with no budget set" in headline(found)


def test_actions_that_are_open_or_were_closed_lately_are_in_the_review(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    def action(number: int, status: Status, changed: date, due: int) -> Action:
        draft = ActionDraft("t", "o", date(2025, 12, due), Decimal(1), status)
        return Action(**vars(draft), id=number, created=date(2025, 1, 1), changed=changed)

    actions = [
        action(1, Status.DONE, date(2025, 11, 16), 1),
        action(2, Status.DROPPED, date(2025, 11, 17), 1),
        action(3, Status.DOING, date(2025, 1, 1), 9),
        action(4, Status.OPEN, date(2025, 12, 24), 3),
    ]
    found = review(two_weeks[0], book, actions=actions)
    assert [one.id for one in found.actions] == [4, 3, 2]


def test_the_json_holds_the_figures_exactly(two_weeks: tuple[Path, Batch], book: PriceBook) -> None:
    found = review(two_weeks[0], book)
    told = json.loads(to_json(found), parse_float=Fraction)
    assert found.spend is not None
    usd = Fraction(found.spend, TICKS_PER_USD)
    this = told["this_week"]
    assert abs(this["spend_usd"] - usd) <= Fraction(1, 2 * 10**12)
    assert sum(map(Fraction, this["parts_usd"].values())) == this["spend_usd"]
    assert this["requests"] == 504
    assert told["reconciliation"]["exact"] is True
    assert told["week"] == "2025-W47"
    assert told["period"] == {"from": "2025-11-17T00:00:00Z", "to": "2025-11-24T00:00:00Z"}
    assert told["headline"] == headline(found)
    assert len(told["days"]) == 14


def test_the_review_of_the_same_data_is_the_same_bytes_whenever_it_is_made(
    two_weeks: tuple[Path, Batch], book: PriceBook
) -> None:
    first, later = (
        review(two_weeks[0], book, now_us=now_us) for now_us in (END_US, END_US + 400 * DAY_US)
    )
    assert dataclasses.asdict(first) == dataclasses.asdict(later)
    assert to_html(first) == to_html(later)
    assert to_pdf(first) == to_pdf(later)
