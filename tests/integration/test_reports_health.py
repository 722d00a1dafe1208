"""Health figures: what is late, missing, rejected, silent or out of date, and what is not."""

from pathlib import Path

import msgspec
import pytest

from costs import Catalogue, Machine, Price
from reports import WINDOWS, HealthReport, load_health
from reports.health import SLOW_LAG_US
from store import MINUTE_US, Advance, Batch, Dropped, commit
from tests.fixtures_usage import (
    BOOT_ID,
    MONDAY_US,
    NODE_ID,
    SECOND_US,
    node_sample,
    rejected_line,
    traffic,
    usage_record,
)
from usage import Position

HOUR = WINDOWS[1]
END_US = MONDAY_US + 2 * MINUTE_US
# 2025-11-03, the Monday of the facts.
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def catalogue(as_of: str = "2025-10-04") -> Catalogue:
    return Catalogue([Price(MACHINE, 178_500, None, as_of, "test")])


def health(database: Path, now_us: int = END_US, as_of: str = "2025-10-04") -> HealthReport:
    return load_health(database, catalogue(as_of), HOUR, now_us)


def store(database: Path, batch: Batch, now_us: int = END_US) -> None:
    commit(database, batch, now_us=now_us)


def from_spool(batch: Batch, start: int = 0) -> Batch:
    """Return `batch` as it comes from a spool, whose arrivals have a lag."""
    advance = Advance(NODE_ID, BOOT_ID, Position(1, start), Position(1, start + 1))
    return Batch(batch.records, batch.samples, advances=[advance])


def test_sound_data_is_good(database: Path) -> None:
    store(database, traffic(MONDAY_US, END_US, per_second=3))
    found = health(database)
    assert found.good
    assert (found.missing, found.dropped_facts, found.rejected) == (0, 0, 0)
    assert found.silent == []
    assert found.active == 1
    assert found.storage.file_bytes > 0


def test_the_newest_lag_and_the_longest_are_told_apart(database: Path) -> None:
    for number, lag_s in enumerate((30, 3)):
        now_us = MONDAY_US + (number + 1) * MINUTE_US
        record = usage_record(arrived_at_us=now_us - lag_s * SECOND_US, seq=number + 1)
        store(database, from_spool(Batch([record]), number), now_us)
    found = health(database)
    assert found.newest_lag_us == 3 * SECOND_US
    assert found.max_lag_us == 30 * SECOND_US
    assert found.fresh


def test_records_that_were_long_on_the_way_are_not_fresh(database: Path) -> None:
    late = usage_record(arrived_at_us=END_US - SLOW_LAG_US - 1)
    store(database, from_spool(Batch([late])))
    assert not health(database).fresh


def test_a_collector_that_stores_nothing_is_not_fresh(database: Path) -> None:
    store(database, traffic(MONDAY_US, END_US, per_second=3))
    assert health(database, END_US + MINUTE_US).fresh
    later = health(database, END_US + MINUTE_US + 1)
    assert not later.fresh
    assert later.since_commit_us == MINUTE_US + 1


def test_gaps_are_counted_before_and_within_what_is_stored(database: Path) -> None:
    batch = traffic(MONDAY_US, END_US, per_second=3)
    kept = [r for r in batch.records if r.seq not in (1, 2, 7)]
    store(database, Batch(kept, batch.samples))
    found = health(database)
    assert found.missing == 3
    [boot] = found.gaps
    assert (boot.missing_before, boot.missing_within) == (2, 1)
    assert not found.complete
    assert not found.good


def test_dropped_facts_are_those_of_the_window(database: Path) -> None:
    long_ago = node_sample(
        sampled_at_us=MONDAY_US - 3 * 60 * MINUTE_US,
        records_dropped=9,
        node_id="node-0",
        boot_id="0198c0de-0000-7000-8000-00000000dead",
    )
    batch = traffic(MONDAY_US, END_US, per_second=3)
    last = msgspec.structs.replace(batch.samples[-1], records_dropped=4)
    store(database, Batch(batch.records, [long_ago, *batch.samples[:-1], last]))
    found = health(database)
    assert found.dropped == [Dropped("node-1", 4)]
    assert found.dropped_facts == 4


def test_rejected_lines_of_the_window_are_looked_at_and_older_ones_are_kept(
    database: Path,
) -> None:
    store(database, Batch(rejected=[rejected_line()]), MONDAY_US - 3 * 60 * MINUTE_US)
    store(database, traffic(MONDAY_US, END_US, per_second=3))
    assert health(database).rejected == 0
    assert health(database).good
    store(database, Batch(rejected=[rejected_line(byte_offset=n) for n in range(60)]))
    found = health(database)
    assert found.rejected == 60
    assert [reason.lines for reason in found.reasons] == [61]
    assert len(found.rejections) == 50
    assert not found.good


def test_a_node_is_silent_after_a_minute_and_forgotten_after_the_window(database: Path) -> None:
    store(database, Batch(samples=[node_sample(sampled_at_us=MONDAY_US)]), MONDAY_US)
    for after_us, silent in ((MINUTE_US, 0), (MINUTE_US + 1, 1), (62 * MINUTE_US, 0)):
        assert len(health(database, MONDAY_US + after_us).silent) == silent, after_us


@pytest.mark.parametrize(
    ("as_of", "days", "good"),
    [
        ("2025-11-03", 0, True),
        ("2024-11-03, by hand", 365, True),
        ("2024-11-02", 366, False),
        # The first day that it may mean: a price is at most that old.
        ("2025 (exact day unknown)", 306, True),
        ("2025-10", 33, True),
        ("lately", None, False),
        ("2025-13-01", None, False),
    ],
)
def test_a_price_is_as_old_as_its_date_says(
    database: Path, as_of: str, days: int | None, good: bool
) -> None:
    store(database, traffic(MONDAY_US, END_US, per_second=3))
    [price] = health(database, as_of=as_of).prices
    assert (price.days, price.good) == (days, good)


def test_a_machine_without_a_price_is_not_good(database: Path) -> None:
    node = {"instance_type": "homebrew"}
    store(database, traffic(MONDAY_US, END_US, per_second=3, node=node))
    found = health(database)
    [price] = found.prices
    assert price.price is None
    assert not found.good


def test_the_file_is_held_for_a_part_of_the_time(database: Path) -> None:
    store(database, traffic(MONDAY_US, END_US, per_second=3))
    found = health(database)
    assert found.held_share is not None
    assert 0 <= found.held_share <= 1
    assert found.shared


def test_a_database_without_facts_has_its_health(database: Path) -> None:
    store(database, Batch())
    found = health(database)
    assert found.newest_lag_us is None
    assert found.boots == []
    assert found.good
