"""Which part of a week is counted, and with what it is compared."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reports.weekly import (
    Action,
    ActionDraft,
    RecordedWeeks,
    Week,
    load_recorded_weeks,
    to_html,
    to_json,
)
from reports.weekly.headline import headline
from store import DAY_US, HOUR_US, MINUTE_US, Batch, Retention, commit, maintain
from tests.fixtures_usage import node_sample, usage_record
from tests.integration.weekly_review import (
    BEFORE_US,
    END_US,
    MICRO_USD_PER_HOUR,
    START_US,
    WEEK,
    commit_two_weeks,
    review,
)
from tests.weeks_of_facts import commit_hours


def test_the_same_week_is_the_same_once_minutes_became_hours_and_days(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_two_weeks(database)
    before = review(database)
    maintain(database, Retention(), now_us=END_US + 30 * DAY_US)
    after = review(database)
    assert to_json(after) == to_json(before)
    assert to_html(after) == to_html(before)


def test_a_running_week_counts_whole_hours_and_compares_the_same_ones(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    now_us = START_US + 30 * HOUR_US + 25 * MINUTE_US
    commit_hours(database, BEFORE_US, START_US + 30 * HOUR_US)
    late = usage_record(arrived_at_us=now_us - MINUTE_US, seq=10**6)
    last = node_sample(sampled_at_us=now_us, interval_us=25 * MINUTE_US)
    commit(database, Batch([late], [last]), now_us=now_us)
    found = review(database, now_us=now_us)
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
    stale = review(database, now_us=END_US - 1)
    assert (stale.ended, stale.period) == (False, found.period)
    over = review(database, now_us=END_US)
    assert over.ended
    assert over.freshness.hours_missing == 168 - 31


def test_facts_of_a_clock_that_is_ahead_make_no_week_longer_than_it_is(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, START_US, START_US + 5 * HOUR_US, requests=1)
    commit_hours(database, END_US, END_US + HOUR_US, requests=1, first_seq=100)
    found = review(database, now_us=START_US + 5 * HOUR_US + MINUTE_US)
    assert found.period.to_us == START_US + 5 * HOUR_US
    assert "in its first 5 hours" in headline(found)


def test_the_first_minutes_of_a_week_are_counted_and_not_compared(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US, START_US)
    sample = node_sample(sampled_at_us=START_US + 5 * MINUTE_US, interval_us=5 * MINUTE_US)
    commit(database, Batch([], [sample]), now_us=START_US)
    found = review(database, now_us=START_US + 6 * MINUTE_US)
    assert found.period.length_us == 5 * MINUTE_US
    assert found.before is None
    assert found.spend == 5 * MINUTE_US * MICRO_USD_PER_HOUR
    assert found.reconciliation.exact
    assert "in its first 5 minutes" in headline(found)
    assert to_html(found)


def test_weeks_across_new_year_and_the_end_of_a_month(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    week = Week(2026, 53)
    commit_hours(database, week.period.from_us, week.period.to_us, requests=1)
    found = review(database, week, week.period.to_us)
    assert found.spend is not None
    assert [month.name for month in found.months][-2:] == ["Dec 2026", "Jan 2027"]
    parts = [month.counted for month in found.months[-2:]]
    assert [part.figures.requests for part in parts if part] == [4 * 24, 3 * 24]
    assert sum(part.spend or 0 for part in parts if part) == found.spend
    after = review(database, Week(2027, 1), week.period.to_us + DAY_US)
    assert after.weeks[-2].name == "2026-W53"
    assert after.weeks[-2].counted == found.now


def test_a_month_is_whole_only_where_all_of_it_is_counted(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    october, middle, december = (
        int(datetime(2025, *day, tzinfo=UTC).timestamp()) * 10**6
        for day in ((10, 1), (11, 23), (12, 5))
    )
    commit_hours(database, october, december, requests=0)
    long_after = review(database, now_us=december)
    assert [(month.name, month.whole) for month in long_after.months[-2:]] == [
        ("Oct 2025", True),
        ("Nov 2025", False),
    ]
    assert long_after.period.to_us == middle + DAY_US
    [_, *_, november] = review(database, WEEK.plus(1), december).months
    assert (november.name, november.whole) == ("Nov 2025", True)


@pytest.mark.parametrize("weeks_later", [0, 10])
def test_a_week_that_is_not_over_and_has_no_fact_says_no_more_than_that(
    tmp_path: Path, weeks_later: int
) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, BEFORE_US, START_US - DAY_US)
    week = WEEK.plus(weeks_later)
    due = ActionDraft("t", "o", week.monday, Decimal(1))
    found = review(database, week, START_US + HOUR_US, actions=[Action(**vars(due), id=1)])
    text = to_html(found)
    assert "\N{MIDDLE DOT} not over yet" in text
    assert "Nothing is stored of the week." in text
    for words in ("still running", "168", "overdue", "counted up to"):
        assert words not in text
    assert "There is no record of this week to compare." in text


def test_weeks_to_choose_from_are_those_with_facts(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    # The last sample ends where the next week begins, and is none of its facts.
    commit_hours(database, BEFORE_US, END_US, requests=0)
    for now_us in (END_US, END_US + 30 * DAY_US):
        found = load_recorded_weeks(database, now_us)
        assert found == RecordedWeeks((WEEK, WEEK.plus(-1)), WEEK)
    running = load_recorded_weeks(database, END_US - 1)
    assert running == RecordedWeeks((WEEK, WEEK.plus(-1)), WEEK.plus(-1))
