"""Simulated weeks in a database: each stretch once, true to what was made up, marked as such."""

import dataclasses
from collections import Counter
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from collectors.lock import HeldError, sole_collector
from deploy.history import ROOT, STRETCH_US, digits_curves, fill, read_stored
from reports import load_price_book, load_targets
from reports.budgets.report import load_budgets
from reports.weekly import Week, load_weekly
from simulator.history import Story, demo_story, make_stretch
from store import (
    Batch,
    By,
    Period,
    Retention,
    check_database,
    commit,
    open_reader,
    read_boots,
    read_breakdown,
    read_uptimes,
)
from tests.fixtures_usage import usage_record
from tests.integration.collector_process import collect
from tests.unit.simulator.history.small_story import HOUR_US, MONDAY_US, SECOND_US, small_story
from usage import NodeSample, SpoolWriter, UsageRecord, decode_line

RETENTION = Retention()
DAY_US, WEEK_US = 24 * HOUR_US, 168 * HOUR_US


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def thin_story(share: float, length_us: int) -> Story:
    """Return the small story with a share of its requests, told of `length_us`."""
    story = small_story(sample_us=300 * SECOND_US)
    streams = tuple(
        dataclasses.replace(stream, rate=stream.rate * share) for stream in story.streams
    )
    return dataclasses.replace(story, streams=streams, length_us=length_us)


def store(database: Path, story: Story, until_us: int) -> list[str]:
    return list(fill(database, story, RETENTION, lambda: until_us))


def stored(database: Path) -> Counter[tuple[object, ...]]:
    """Return how many requests are stored, by what tells them apart."""
    with open_reader(database) as connection:
        rows = connection.sql(
            "SELECT node_id, model, tenant, cache, status, origin, count(*), sum(total_us), "
            "sum(compute_us * items) FROM usage_record GROUP BY ALL"
        ).fetchall()
    return Counter({row[:-3] + row[-2:]: row[-3] for row in rows})


def test_a_day_through_the_real_collector_adds_up_to_what_was_made_up(
    database: Path, tmp_path: Path
) -> None:
    story = thin_story(0.3, DAY_US)
    runs = list(make_stretch(story, 3, MONDAY_US, MONDAY_US, MONDAY_US + DAY_US))
    facts = []
    for run in runs:
        writer = SpoolWriter(tmp_path / "spool", run.node_id, run.boot_id)
        writer.append(run.lines)
        writer.close()
        facts += [decode_line(line) for line in run.lines.splitlines()]
    records = [fact for fact in facts if isinstance(fact, UsageRecord)]
    samples = [fact for fact in facts if isinstance(fact, NodeSample)]

    counted = collect(tmp_path / "spool", database)

    assert counted == {"records": len(records), "samples": len(samples), "rejected": 0}
    assert len(records) > 5_000
    day = Period(MONDAY_US, MONDAY_US + DAY_US)
    with open_reader(database) as connection:
        ran = read_uptimes(connection, day, day.length_us, [0])
        by_model = read_breakdown(connection, day, (By.MODEL,), [0])
        assert all(boot.simulated for boot in read_boots(connection))
        assert all(finding.holds for finding in check_database(connection, database))
    assert sum(row.time.uptime_us for row in ran) == sum(each.interval_us for each in samples)
    owned = sum(
        (Fraction(r.compute_us * r.items, r.batch_size) for r in records if r.batch_size),
        Fraction(0),
    )
    assert sum(row.busy_us for row in ran) == owned
    assert {each.key[0]: each.totals.requests for each in by_model} == Counter(
        record.model for record in records
    )


def test_a_history_is_stored_once_and_goes_on_where_it_ended(database: Path) -> None:
    story = thin_story(0.5, 4 * HOUR_US)
    until_us = MONDAY_US + 6 * HOUR_US + 17
    assert store(database, story, until_us) == ["100%"]
    first = stored(database)
    assert {key[5] for key in first} == {"simulated"}
    found = read_stored(database, story)
    assert found is not None
    assert (found.began_us, found.to_us) == (MONDAY_US, until_us)

    assert store(database, story, until_us) == []
    assert stored(database) == first

    later_us = until_us + 3 * HOUR_US
    store(database, story, later_us)
    found = read_stored(database, story)
    assert found is not None
    assert (found.began_us, found.to_us) == (MONDAY_US, later_us)
    assert stored(database).total() > first.total()
    with open_reader(database) as connection:
        assert all(finding.holds for finding in check_database(connection, database))


def test_a_real_node_of_the_same_name_is_none_of_the_history(database: Path) -> None:
    commit(database, Batch([usage_record(node_id="one", arrived_at_us=MONDAY_US)]), now_us=1)
    assert read_stored(database, thin_story(0.5, HOUR_US)) is None


def test_a_history_that_is_cut_off_becomes_the_one_it_would_have_been(tmp_path: Path) -> None:
    story = thin_story(0.02, STRETCH_US)
    until_us = MONDAY_US + 3 * STRETCH_US - HOUR_US
    whole, cut = tmp_path / "whole.duckdb", tmp_path / "cut/usage.duckdb"
    store(whole, story, until_us)

    started = fill(cut, story, RETENTION, lambda: until_us)
    assert next(started) == "33%"
    started.close()
    assert 0 < stored(cut).total() < stored(whole).total()
    assert store(cut, story, until_us) == ["50%", "100%"]

    assert stored(cut) == stored(whole)


def test_what_happens_in_the_demo_is_found_by_its_reviews_and_anomalies(database: Path) -> None:
    demo = demo_story(digits_curves(ROOT / "data/models"))
    # The same machines, fewer requests: spend is machine time.
    streams = tuple(dataclasses.replace(each, rate=each.rate / 40) for each in demo.streams)
    thin = dataclasses.replace(demo, streams=streams, sample_us=HOUR_US)
    store(database, thin, MONDAY_US + 6 * WEEK_US + HOUR_US)
    book, targets = load_price_book(ROOT / "data/prices"), load_targets(ROOT / "data/targets.toml")
    monday = Week.of(MONDAY_US)

    def movers(week: int) -> dict[str, str]:
        review = load_weekly(
            database, book, targets, monday.plus(week - 1), MONDAY_US + 7 * WEEK_US
        )
        assert review is not None
        return {mover.name: mover.cause for mover in review.movers}

    assert "less work per request" in movers(2)["example-search"]
    assert movers(3)["example-documents-small"] == "not there before"
    assert movers(4)["example-documents"] == "not there any more"
    assert "more work per request" in movers(5)["example-search"]
    assert "cheaper machines" in movers(5)["example-chat-8b"]
    assert "example-chat-8b" in movers(6)
    budgets = load_budgets(database, book, (), MONDAY_US + 6 * WEEK_US + HOUR_US)
    assert budgets is not None
    anomalies = [
        (each.day - monday.monday, each.actual > each.usual.value, each.driver.value, each.stays)
        for each in budgets.anomalies.found
        if each.driver is not None
    ]
    assert anomalies[::-1] == [
        (timedelta(29), True, "g4dn.xlarge", False),
        (timedelta(32), False, "on-demand", True),
        (timedelta(35), True, "g6.xlarge", True),
        (timedelta(40), False, "g6.xlarge", False),
    ]


def test_nobody_else_may_write_meanwhile(database: Path) -> None:
    with sole_collector(database), pytest.raises(HeldError):
        store(database, thin_story(0.5, HOUR_US), MONDAY_US + 2 * HOUR_US)
