"""From stored facts to figures: exact, additive, and honest about what is missing."""

import json
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from uuid_utils import uuid7

from costs import TICKS_PER_USD, Catalogue, Machine, Price
from reports import (
    WINDOWS,
    ReportError,
    load_catalogue,
    load_overview,
    load_request_costs,
    load_targets,
)
from store import MINUTE_US, Batch, Dropped, commit
from tests.fixtures_usage import (
    MONDAY_US,
    SECOND_US,
    fill,
    node_sample,
    on_behalf,
    rejected_line,
    traffic,
    usage_record,
)

ROOT = Path(__file__).parents[2]
QUARTER_HOUR = WINDOWS[0]
MICRO_USD_PER_HOUR = 178_500


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "data/prices")


def run_reports(arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports", *arguments], capture_output=True, text=True, check=False
    )


def test_direct_plus_idle_is_machine_time_times_price_to_the_last_digit(
    database: Path, catalogue: Catalogue
) -> None:
    batch = fill(database, MONDAY_US + 12 * MINUTE_US, minutes=12)
    found = load_overview(database, catalogue, None, MONDAY_US + 12 * MINUTE_US)
    assert found is not None
    cost = found.current.cost
    assert cost.machine == 12 * MINUTE_US * MICRO_USD_PER_HOUR
    assert cost.direct + cost.idle == cost.machine
    by_hand = sum(
        (
            Fraction(r.compute_us * r.items * MICRO_USD_PER_HOUR, r.batch_size * 2)
            for r in batch.records
            if r.compute_us
        ),
        Fraction(0),
    )
    assert cost.direct == by_hand
    assert found.unmeasured_requests == 0


def test_executions_on_behalf_of_requests_cost_and_change_no_other_figure(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    now_us = MONDAY_US + 12 * MINUTE_US
    batch = traffic(MONDAY_US, now_us)
    executions = [
        on_behalf(seq=10**6 + n, route=route, arrived_at_us=MONDAY_US + n * 7 * SECOND_US)
        for n, route in enumerate(("shadow", "cascade_attempt") * 50)
    ]
    commit(tmp_path / "without", batch, now_us=1)
    commit(tmp_path / "with", Batch([*batch.records, *executions], batch.samples), now_us=1)
    plain = load_overview(tmp_path / "without", catalogue, QUARTER_HOUR, now_us)
    found = load_overview(tmp_path / "with", catalogue, QUARTER_HOUR, now_us)
    assert plain is not None
    assert found is not None
    share = sum(Fraction(r.compute_us * r.items, r.batch_size * 2) for r in executions)
    cost = found.current.cost
    assert cost.direct == plain.current.cost.direct + share * MICRO_USD_PER_HOUR
    assert cost.direct + cost.idle == cost.machine == plain.current.cost.machine
    for name in ("requests", "failures", "usd_per_1000", "requests_per_s", "error_rate", "p50_ms",
                 "p95_ms", "p99_ms", "utilization", "spend_usd_per_hour"):  # fmt: skip
        assert getattr(found.current, name) == getattr(plain.current, name), name
    assert found.state.records == len(batch.records)
    costs = load_request_costs(tmp_path / "with", catalogue, 10**6)
    assert sum(row.direct or 0 for row in costs.rows) == cost.direct
    assert sum(row.fully_loaded or 0 for row in costs.rows) == cost.machine


def test_dropped_facts_are_told_of_the_window_shown(database: Path, catalogue: Catalogue) -> None:
    now_us = MONDAY_US + 30 * MINUTE_US
    fill(database, now_us, minutes=30)
    counts = ((MONDAY_US + MINUTE_US, 4), (now_us - MINUTE_US, 10))
    boot_id = str(uuid7())
    samples = [
        node_sample(sampled_at_us=at, records_dropped=n, boot_id=boot_id) for at, n in counts
    ]
    commit(database, Batch([], samples), now_us=1)
    found = load_overview(database, catalogue, QUARTER_HOUR, now_us)
    everything = load_overview(database, catalogue, None, now_us)
    assert found is not None
    assert everything is not None
    assert found.dropped == [Dropped("node-1", 6)]
    assert everything.dropped == [Dropped("node-1", 10)]
    assert load_request_costs(database, catalogue, 1).dropped == ()
    assert load_request_costs(database, catalogue, 10**6).dropped == (Dropped("node-1", 10),)
    printed = json.loads(run_reports(["overview", "--database", database]).stdout)
    assert printed["records_dropped"] == {"node-1": 10}


def test_the_steps_of_a_window_add_up_to_the_window(database: Path, catalogue: Catalogue) -> None:
    now_us = MONDAY_US + 25 * MINUTE_US
    fill(database, now_us, minutes=25)
    for window in WINDOWS:
        found = load_overview(database, catalogue, window, now_us)
        assert found is not None
        steps = [step for _, step in found.steps]
        assert sum(step.requests for step in steps) == found.current.requests
        assert sum(step.failures for step in steps) == found.current.failures
        assert sum(step.cost.machine for step in steps) == found.current.cost.machine
        assert sum(step.cost.direct for step in steps) == found.current.cost.direct
        assert (found.previous is None) == (window.length_us > 15 * MINUTE_US)


def test_the_window_before_is_compared_with(database: Path, catalogue: Catalogue) -> None:
    now_us = MONDAY_US + 30 * MINUTE_US
    fill(database, now_us, minutes=30)
    found = load_overview(database, catalogue, QUARTER_HOUR, now_us)
    assert found is not None
    assert found.previous is not None
    assert found.current.spend_usd_per_hour == pytest.approx(0.1785)
    assert found.previous.spend_usd_per_hour == pytest.approx(0.1785)
    assert found.previous.cost.machine == found.current.cost.machine


def test_a_window_before_of_which_little_is_stored_is_not_compared_with(
    database: Path, catalogue: Catalogue
) -> None:
    now_us = MONDAY_US + 30 * MINUTE_US
    fill(database, now_us, minutes=22)
    found = load_overview(database, catalogue, QUARTER_HOUR, now_us)
    assert found is not None
    assert found.previous is None


def test_rates_of_the_first_seconds_count_those_seconds_only(
    database: Path, catalogue: Catalogue
) -> None:
    start_us = MONDAY_US + 47 * SECOND_US
    commit(database, traffic(start_us, start_us + 10 * SECOND_US, per_second=50), now_us=1)
    found = load_overview(database, catalogue, QUARTER_HOUR, start_us + 12 * SECOND_US)
    assert found is not None
    assert found.current.spend_usd_per_hour == pytest.approx(0.1785)
    assert found.current.requests_per_s == pytest.approx(found.current.requests / 10)


def test_old_data_is_shown_up_to_where_it_ends_and_said_to_be_old(
    database: Path, catalogue: Catalogue
) -> None:
    end_us = MONDAY_US + 20 * MINUTE_US
    fill(database, end_us, minutes=20)
    found = load_overview(database, catalogue, QUARTER_HOUR, end_us + 3 * 3600 * SECOND_US)
    assert found is not None
    assert found.stale_us == 3 * 3600 * SECOND_US
    assert found.period.to_us == end_us
    assert found.current.requests > 0


def test_a_database_without_facts_has_no_overview(database: Path, catalogue: Catalogue) -> None:
    commit(database, Batch(rejected=[rejected_line()]), now_us=1)
    assert load_overview(database, catalogue, QUARTER_HOUR, MONDAY_US) is None
    assert load_request_costs(database, catalogue, 10).rows == []


def test_idle_machines_alone_and_requests_alone_have_figures_without_division_by_zero(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    for name, batch in (
        ("idle", Batch(samples=[node_sample()])),
        ("requests", Batch([usage_record(), usage_record(seq=2, status=503, error="x")])),
    ):
        commit(tmp_path / name, batch, now_us=1)
        found = load_overview(tmp_path / name, catalogue, QUARTER_HOUR, MONDAY_US + SECOND_US)
        assert found is not None
        if name == "idle":
            assert found.current.idle_share == 1.0
            assert found.current.usd_per_1000 is None
            assert found.current.p99_ms is None
        else:
            assert found.current.error_rate == 0.5
            assert found.current.idle_share is None
            assert found.unmeasured_requests == 2


def test_a_machine_without_a_price_is_told_and_never_counted_as_free_in_silence(
    database: Path, catalogue: Catalogue
) -> None:
    fill(database, MONDAY_US + 2 * MINUTE_US, minutes=2, node={"instance_type": "homebrew"})
    found = load_overview(database, catalogue, None, MONDAY_US + 2 * MINUTE_US)
    assert found is not None
    [fleet] = found.fleets
    assert fleet.machine.instance_type == "homebrew"
    assert fleet.price is None
    assert found.current.usd_per_1000 is None


def test_a_price_that_changed_within_the_period_prices_each_side_with_its_own(
    database: Path,
) -> None:
    machine = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
    change_us = MONDAY_US + 4 * MINUTE_US
    book = Catalogue(
        [
            Price(machine, 1_000_000, None, "2025", "test"),
            Price(machine, 3_000_000, change_us, "2025", "test"),
        ]
    )
    fill(database, MONDAY_US + 10 * MINUTE_US, minutes=10)
    found = load_overview(database, book, None, MONDAY_US + 10 * MINUTE_US)
    assert found is not None
    hours = Fraction(found.current.cost.machine, TICKS_PER_USD) / Fraction(MINUTE_US, 3_600_000_000)
    assert hours == 4 * 1 + 6 * 3
    [fleet] = found.fleets
    assert fleet.price is not None
    assert fleet.price.micro_usd_per_hour == 3_000_000


def test_request_costs_sum_to_the_direct_and_the_machine_cost_of_their_minutes(
    database: Path, catalogue: Catalogue
) -> None:
    end_us = MONDAY_US + 2 * MINUTE_US
    batch = fill(database, end_us, minutes=2)
    costs = load_request_costs(database, catalogue, 10**6)
    whole = load_overview(database, catalogue, None, end_us)
    assert whole is not None
    assert len(costs.rows) == len(batch.records)
    assert sum(row.direct or 0 for row in costs.rows) == whole.current.cost.direct
    assert sum(row.fully_loaded or 0 for row in costs.rows) == whole.current.cost.machine
    newest = [row.request.arrived_at_us for row in load_request_costs(database, catalogue, 7).rows]
    assert newest == sorted((r.arrived_at_us for r in batch.records), reverse=True)[:7]


def test_the_command_prints_one_line_of_figures_that_add_up(database: Path) -> None:
    fill(database, MONDAY_US + 3 * MINUTE_US, minutes=3)
    finished = run_reports(["overview", "--database", database])
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.count("\n") == 1
    printed = json.loads(finished.stdout, parse_float=Fraction)
    assert printed["cost_usd"] == printed["direct_usd"] + printed["idle_usd"]
    assert printed["cost_usd"] == Fraction(MICRO_USD_PER_HOUR * 3, 60 * 1_000_000)
    assert printed["unpriced_machines"] == []


def test_the_command_says_in_one_line_what_is_missing(tmp_path: Path, database: Path) -> None:
    missing = run_reports(["overview", "--database", database])
    assert missing.returncode == 1
    assert "start a collector first" in missing.stderr
    fill(database, MONDAY_US, minutes=1)
    prices = run_reports(["overview", "--database", database, "--prices", tmp_path])
    assert prices.returncode == 1
    assert "instances.csv" in prices.stderr
    assert missing.stderr.count("\n") == prices.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[latency_ms]\np50 = 1\np95 = 2\n", "p99"),
        ("[latency_ms]\np50 = 0\np95 = 2\np99 = 3\n", "p50"),
        ("[latency_ms]\np50 = 1\np95 = 2\np99 = 3\np999 = 4\n", "p999"),
        ("[latency_ms\n", "line 1"),
    ],
)
def test_wrong_targets_are_refused_with_file_and_field(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"targets\.toml") as refused:
        load_targets(path)
    assert complaint in str(refused.value)
    assert load_targets(ROOT / "data/targets.toml").latency_ms.p99 > 0


def test_a_request_newer_than_the_last_sample_does_not_dilute_the_spend_rate(
    database: Path, catalogue: Catalogue
) -> None:
    batch = traffic(MONDAY_US, MONDAY_US + 10 * SECOND_US)
    batch.records.append(usage_record(seq=10**6, arrived_at_us=MONDAY_US + 10_900_000))
    commit(database, batch, now_us=1)
    found = load_overview(database, catalogue, QUARTER_HOUR, MONDAY_US + 11 * SECOND_US)
    assert found is not None
    assert found.current.spend_usd_per_hour == pytest.approx(0.1785)


def test_spend_now_is_that_of_the_machines_that_run_now_whatever_the_window(
    database: Path, catalogue: Catalogue
) -> None:
    fill(database, MONDAY_US + MINUTE_US, minutes=1)
    now_us = MONDAY_US + 10 * MINUTE_US + 20 * SECOND_US
    fill(database, now_us, minutes=2, node={"boot_id": str(uuid7())})
    for window in WINDOWS:
        found = load_overview(database, catalogue, window, now_us)
        assert found is not None
        assert found.spend_now_usd_per_hour == pytest.approx(0.1785)
        assert found.current.spend_usd_per_hour is not None
        assert found.current.spend_usd_per_hour < 0.06


def test_a_request_on_the_very_minute_is_in_the_overview_of_all_data(
    database: Path, catalogue: Catalogue
) -> None:
    commit(database, Batch([usage_record(arrived_at_us=MONDAY_US)]), now_us=1)
    found = load_overview(database, catalogue, None, MONDAY_US)
    assert found is not None
    assert found.current.requests == 1
    late_us = MONDAY_US + 3600 * SECOND_US
    stale = load_overview(database, catalogue, QUARTER_HOUR, late_us)
    assert stale is not None
    assert stale.current.requests == 1
