"""What costs are derived from beside machine time, against the truth of each single record."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from costs import Transfer
from store import (
    EVERYTHING,
    Batch,
    By,
    ByLabel,
    Filter,
    Grouping,
    Period,
    Retries,
    commit,
    open_reader,
    open_writer,
    read_archive_sizes,
    read_batch_savings,
    read_machine_time_spread,
    read_retries,
    read_transfers,
)
from store.compaction import fold_minutes
from store.period import HOUR_US, MINUTE_US
from tests.fixtures_usage import MONDAY_US, node_sample, usage_record
from tests.integration.usage_truth import (
    BOOTS,
    CHANGE_US,
    CHANGES,
    MACHINES,
    PERIOD,
    Truth,
    fleet_facts,
    is_request,
    key_of,
    minute_of,
    worker_us,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TRUTH = Truth(fleet_facts())
FILTERS = [
    EVERYTHING,
    Filter(tenant=("search",)),
    Filter(region=("us-east-1",)),
    Filter(simulated=("no",)),
    Filter(label=(("team", None),), model=("digits",)),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DuckDBPyConnection]":
    database = tmp_path_factory.mktemp("costs") / "usage.duckdb"
    commit(database, fleet_facts(), now_us=1)
    with open_reader(database) as opened:
        yield opened


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("step_us", [MINUTE_US, PERIOD.length_us])
def test_transfers_are_the_bytes_of_requests_where_their_machines_are(
    connection: "DuckDBPyConnection", where: Filter, step_us: int
) -> None:
    by: list[Grouping] = [By.MODEL, ByLabel("team")]
    truth: dict[object, Counter[str]] = defaultdict(Counter)
    for record in filter(is_request, TRUTH.came(PERIOD, where)):
        machine = MACHINES[record.node_id]
        place = (machine.cloud, machine.region) if machine else (None, None)
        minute = minute_of(record.arrived_at_us)
        begin = minute - (minute - PERIOD.from_us) % step_us
        priced_at = CHANGE_US if minute >= CHANGE_US else 0
        sums = truth[begin, key_of(record, by), *place, priced_at]
        sums["received"] += record.request_bytes
        sums["sent"] += record.response_bytes
    found = {
        (from_us, key, moved.cloud, moved.region, moved.priced_at_us): moved
        for (from_us, key), transfers in read_transfers(
            connection, PERIOD, step_us, CHANGES, by, where=where
        ).items()
        for moved in transfers
    }
    assert {
        key: (moved.received_bytes, moved.sent_bytes) for key, moved in found.items()
    } == {key: (sums["received"], sums["sent"]) for key, sums in truth.items()}  # fmt: skip


@pytest.mark.parametrize("where", FILTERS)
def test_batching_saves_the_time_of_items_alone_less_that_of_items_together(
    connection: "DuckDBPyConnection", where: Filter
) -> None:
    by = [By.MODEL, By.MODEL_VERSION, By.INSTANCE_TYPE]
    groups = defaultdict(list)
    for record in TRUTH.came(PERIOD, where):
        if record.compute_us and is_request(record):
            groups[key_of(record, by)].append(record)
    found = read_batch_savings(connection, PERIOD, where=where)
    assert {(s.model, s.model_version, s.instance_type) for s in found} == set(groups)
    for saving in found:
        records = groups[saving.model, saving.model_version, saving.instance_type]
        assert saving.items == sum(record.items for record in records)
        assert saving.worker_us == sum(map(worker_us, records))
        alone = [record for record in records if record.batch_size == 1]
        assert saving.alone_us == sum(r.compute_us * r.items for r in alone)
        assert (saving.saved_worker_us is None) == (not alone)


def test_a_batch_of_four_saves_what_four_alone_would_have_taken(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    together = [
        usage_record(seq=n, batch_size=4, compute_us=1_500, arrived_at_us=MONDAY_US + n)
        for n in range(1, 5)
    ]
    alone = [
        usage_record(seq=n, batch_size=1, compute_us=us, arrived_at_us=MONDAY_US + n)
        for n, us in ((5, 1_000), (6, 1_100))
    ]
    records = [
        replace(record, record_id=f"0198c0de-0000-7000-8000-00000000000{record.seq}")
        for record in together + alone
    ]
    commit(database, Batch(records, [node_sample()]), now_us=1)
    with open_reader(database) as opened:
        [saving] = read_batch_savings(opened, Period(MONDAY_US, MONDAY_US + MINUTE_US))
    # Six items at 1,050 us each, instead of 1,500 us for the batch and 2,100 us for the two.
    assert saving.saved_worker_us == 6 * 1_050 - (1_500 + 2_100)


@pytest.mark.parametrize("where", FILTERS)
def test_the_spread_counts_every_measured_request_in_the_bin_of_its_machine_time(
    connection: "DuckDBPyConnection", where: Filter
) -> None:
    found = read_machine_time_spread(connection, PERIOD, 10**9, where=where)
    counted: Counter[tuple[object, int]] = Counter()
    for record in filter(is_request, TRUTH.came(PERIOD, where)):
        owned_us = TRUTH.machine_us(record)
        if owned_us:
            counted[MACHINES[record.node_id], math.floor(20 * math.log10(owned_us))] += 1
    assert {
        (b.machine, round(20 * math.log10(b.from_us))): b.requests for b in found
    } == counted  # fmt: skip
    assert all(b.to_us == pytest.approx(b.from_us * 10**0.05) for b in found)


def test_a_retry_follows_a_failure_of_the_same_input_within_a_minute(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    second = 1_000_000
    asked = [
        # seq, second, digest, tenant, status: what makes it a retry, or not.
        (1, 0, "a" * 16, "shop", 503),
        (2, 5, "a" * 16, "shop", 503),  # a retry that fails again
        (3, 9, "a" * 16, "shop", 200),  # a retry
        (4, 10, "b" * 16, "shop", 200),  # another input
        (5, 11, "a" * 16, "search", 200),  # another tenant
        (6, 70, "a" * 16, "shop", 200),  # a minute and five seconds later
        (7, 71, None, "shop", 500),
        (8, 72, None, "shop", 200),  # nothing to tell it by
    ]
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-00000000000{seq}",
            seq=seq,
            arrived_at_us=MONDAY_US + at * second,
            input_digest=digest,
            tenant=tenant,
            status=status,
            compute_us=1_000 * seq,
            batch_size=1,
        )
        for seq, at, digest, tenant, status in asked
    ]
    samples = [
        node_sample(sampled_at_us=MONDAY_US + n * MINUTE_US, interval_us=MINUTE_US) for n in (1, 2)
    ]
    commit(database, Batch(records, samples), now_us=1)
    with open_reader(database) as opened:
        retries = read_retries(opened, Period(MONDAY_US, MONDAY_US + 2 * MINUTE_US), [0])
    assert retries is not None
    assert retries.requests == 2
    # Two of one minute, at one price, are one row.
    assert [time.item_us for time in retries.busy] == [5_000]


def test_a_retry_is_one_wherever_and_whenever_the_failure_was(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    edge = MONDAY_US + MINUTE_US
    asked = [(1, "node-1", edge - 10, 503), (2, "node-2", edge + 10, 200)]
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-00000000000{seq}",
            node_id=node_id,
            boot_id=BOOTS[node_id],
            seq=seq,
            arrived_at_us=at_us,
            status=status,
            model=None,
            model_version=None,
        )
        for seq, node_id, at_us, status in asked
    ]
    commit(database, Batch(records), now_us=1)
    with open_reader(database) as opened:
        before, after = (
            read_retries(opened, Period(begin, begin + MINUTE_US), [0])
            for begin in (MONDAY_US, edge)
        )
        there = read_retries(
            opened, Period(edge, edge + MINUTE_US), [0], where=Filter(node_id=("node-2",))
        )
    counts = [found and found.requests for found in (before, after, there)]
    assert counts == [0, 1, 1]


def test_an_input_that_failed_ten_thousand_times_is_looked_at_once_each(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    # Each beside each would be a hundred million pairs.
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-{seq:012d}",
            seq=seq,
            arrived_at_us=MONDAY_US + seq,
            status=503,
        )
        for seq in range(1, 10_001)
    ]
    commit(database, Batch(records, [node_sample()]), now_us=1)
    with open_reader(database) as opened:
        retries = read_retries(opened, Period(MONDAY_US, MONDAY_US + MINUTE_US), [0])
    assert retries is not None
    assert retries.requests == 9_999
    assert [time.item_us for time in retries.busy] == [9_999 * 1_500]


def test_retries_are_not_told_where_records_were_deleted(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, Batch([usage_record()]), now_us=1)
    with open_writer(database) as opened:
        opened.execute("UPDATE archive_state SET kept_from_us = ?", [MONDAY_US])
    with open_reader(database) as opened:
        minute = Period(MONDAY_US, MONDAY_US + MINUTE_US)
        assert read_retries(opened, minute, [0]) == Retries(0, ())
        assert read_retries(opened, minute.before(), [0]) is None


def test_folding_minutes_into_hours_changes_no_byte_and_no_saving(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, fleet_facts(), now_us=1)
    hour = Period(MONDAY_US, MONDAY_US + HOUR_US)
    by = [By.TENANT]

    def read() -> tuple[object, object]:
        with open_reader(database) as opened:
            return (
                read_transfers(opened, hour, hour.length_us, [0], by),
                read_batch_savings(opened, hour),
            )

    before = read()
    with open_writer(database) as opened:
        fold_minutes(opened, hour.to_us)
    assert read() == before


def test_bytes_of_machines_of_which_nothing_is_known_are_kept(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, Batch([usage_record(request_bytes=3, response_bytes=4)]), now_us=1)
    period = Period(MONDAY_US - MONDAY_US % MINUTE_US, MONDAY_US + HOUR_US)
    with open_reader(database) as opened:
        found = read_transfers(opened, period, period.length_us, [0])
        assert read_archive_sizes(opened, period) == []
    assert found == {(period.from_us, ()): [Transfer(None, None, 0, 3, 4)]}


def test_what_was_archived_before_a_period_is_one_sum(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, Batch(), now_us=1)
    period = Period(MONDAY_US, MONDAY_US + HOUR_US)
    with open_writer(database) as opened:
        for number, archived_at_us in enumerate(
            (MONDAY_US - HOUR_US, MONDAY_US - 1, MONDAY_US, MONDAY_US + 1, period.to_us)
        ):
            opened.execute(
                "INSERT INTO archive_file BY NAME SELECT ? AS path, ? AS archived_at_us, "
                "'usage' AS kind, 0 AS day_us, ? AS size_bytes, 1 AS facts, 0 AS first_us, "
                "0 AS last_us",
                [f"{number}.parquet", archived_at_us, 10**number],
            )
    with open_reader(database) as opened:
        found = read_archive_sizes(opened, period)
    assert found == [(MONDAY_US, 111), (MONDAY_US + 1, 1_000)]
