"""The figures of a review: counted by hand, as on other pages, adding up."""

import json
import math
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from uuid_utils import uuid7

from costs import TICKS_PER_USD, Catalogue, Price, PriceBook
from costs.resources import CacheService, Commitment, Resources
from reports import WINDOWS, load_overview
from reports.costs import load_costs
from reports.weekly import to_html, to_json
from reports.weekly.headline import headline
from store import DAY_US, HOUR_US, Batch, quantile_us
from store.latency_histogram import bucket_of
from tests.integration.weekly_review import (
    BEFORE_US,
    END_US,
    MACHINE,
    MICRO_USD_PER_HOUR,
    START_US,
    commit_two_weeks,
    review,
    shipped_book,
)
from tests.weeks_of_facts import commit_hours

SEVEN_DAYS = next(window for window in WINDOWS if window.label == "7 days")


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Batch]:
    database = tmp_path_factory.mktemp("two") / "usage.duckdb"
    return database, commit_two_weeks(database)


def test_the_figures_of_a_week_are_those_counted_by_hand(two_weeks: tuple[Path, Batch]) -> None:
    database, batch = two_weeks
    found = review(database)
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


def test_the_figures_of_a_week_are_those_of_the_other_pages(two_weeks: tuple[Path, Batch]) -> None:
    database, _ = two_weeks
    found = review(database)
    overview = load_overview(database, shipped_book().machines, SEVEN_DAYS, END_US)
    costs = load_costs(database, shipped_book(), SEVEN_DAYS, END_US)
    assert overview is not None
    assert costs is not None
    assert overview.period == found.period == costs.shown.period
    assert found.now is not None
    assert found.before is not None
    assert found.now.figures == overview.current
    assert found.before.figures == overview.previous
    assert found.now.cost == costs.total
    assert found.before.cost == costs.previous


def test_days_weeks_and_months_add_up_to_each_other(two_weeks: tuple[Path, Batch]) -> None:
    database, _ = two_weeks
    found = review(database)
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


def test_every_sum_of_parts_is_the_spend_to_the_last_digit(two_weeks: tuple[Path, Batch]) -> None:
    found = review(two_weeks[0]).reconciliation
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
    two_weeks: tuple[Path, Batch],
) -> None:
    found = review(two_weeks[0])
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


def test_new_and_retired_models_move_the_cost(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    seq = 1 + len(commit_hours(database, BEFORE_US, START_US, model="old").records)
    commit_hours(database, START_US, END_US, first_seq=seq, model="<new>")
    found = review(database)
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
    reserved = replace(MACHINE, purchase_option="reserved")
    year_us = 365 * DAY_US
    standing = Resources(
        commitments=(Commitment("c", reserved, 2, 1, START_US, START_US + year_us, 100_003, 777),),
        caches=(CacheService("r", "aws", "us-east-1", 68_001, START_US + DAY_US, None),),
    )
    found = review(database, book=PriceBook(Catalogue(prices), resources=standing))
    assert found.reconciliation.exact
    assert found.now is not None
    assert found.now.cost is not None
    assert found.now.cost.compute.denominator > 1
    assert found.now.cost.commitment > found.now.cost.cache > 0
    assert found.reconciliation.sums[1].count == 3


def test_the_json_holds_the_figures_exactly(two_weeks: tuple[Path, Batch]) -> None:
    found = review(two_weeks[0])
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
    bridge = told["bridge"]
    assert bridge["before_usd"] == told["week_before"]["spend_usd"]
    assert bridge["now_usd"] == this["spend_usd"]
    drivers = sum(Fraction(driver["usd"]) for driver in bridge["drivers"])
    assert bridge["before_usd"] + drivers == bridge["now_usd"]
