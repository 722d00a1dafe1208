"""Simulated runs: counted where they are shown, left out whole where they are hidden."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from costs import Catalogue, Machine, Price, PriceBook, parse_resources, to_usd
from reports import (
    WINDOWS,
    Figures,
    SimulatedShown,
    Window,
    load_health,
    load_overview,
    load_simulated,
)
from reports.__main__ import main
from reports.costs import load_costs
from store import (
    MINUTE_US,
    Batch,
    Filter,
    Period,
    Simulated,
    commit,
    open_reader,
    read_choices,
    read_label_choices,
    read_simulated,
    read_state,
)
from tests.fixtures_usage import MONDAY_US, SECOND_US, node_sample, usage_record
from usage import NodeSample, UsageRecord

NOW_US = MONDAY_US + 10 * MINUTE_US
QUARTER = WINDOWS[0]
MADE_UP = {"node_id": "sim-1", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
HIDDEN, ONLY = Filter(simulated=("no",)), Filter(simulated=("yes",))
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
# Simulated machines are of a kind that costs a hundred times as much.
DEAR = Machine("aws", "us-east-1", "g6.xlarge", "on_demand")


def record(number: int, **overrides: object) -> UsageRecord:
    return usage_record(record_id=f"0198c0de-0000-7000-8000-{number:012x}", seq=number, **overrides)


def minute(at_us: int, **overrides: object) -> NodeSample:
    return node_sample(sampled_at_us=at_us, interval_us=MINUTE_US, **overrides)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Ten simulated minutes of a request each; of the last two there are measured ones, too."""
    path = tmp_path / "usage.duckdb"
    batch = Batch()
    for number in range(10):
        at_us = MONDAY_US + number * MINUTE_US
        batch.samples.append(minute(at_us + MINUTE_US, instance_type="g6.xlarge", **MADE_UP))
        batch.records.append(
            record(
                100 + number,
                arrived_at_us=at_us + SECOND_US,
                origin="simulated",
                tenant="search",
                **MADE_UP,
            )
        )
    for number in (8, 9):
        at_us = MONDAY_US + number * MINUTE_US
        batch.samples.append(minute(at_us + MINUTE_US))
        batch.records.append(record(number, arrived_at_us=at_us + SECOND_US))
    commit(path, batch, now_us=NOW_US)
    return path


def counted(database: Path, period: Period, where: Filter = HIDDEN) -> Simulated:
    with open_reader(database) as connection:
        return read_simulated(connection, period, where)


@pytest.mark.parametrize("where", [Filter(), HIDDEN, ONLY])
def test_what_is_simulated_is_counted_whether_or_not_it_is_shown(
    database: Path, where: Filter
) -> None:
    found = counted(database, Period(MONDAY_US, NOW_US), where)
    assert found == Simulated(12, 10, 2, 1)
    assert found
    assert found.measured


def test_a_filter_and_a_period_restrict_what_is_counted(database: Path) -> None:
    early = Period(MONDAY_US, MONDAY_US + 5 * MINUTE_US)
    assert counted(database, early) == Simulated(5, 5, 1, 1)
    assert not counted(database, early).measured
    whole = Period(MONDAY_US, NOW_US)
    # Machines work for all tenants: those of the history are shown with the shop's.
    assert counted(database, whole, Filter(tenant=("shop",))) == Simulated(2, 0, 2, 1)
    cheap = Filter(instance_type=("c7i.xlarge",))
    assert counted(database, whole, cheap) == Simulated(nodes=1)
    assert not counted(database, whole, cheap)


def test_what_measured_figures_are_compared_with_is_counted_by_itself(tmp_path: Path) -> None:
    path, turn_us = tmp_path / "usage.duckdb", MONDAY_US + 5 * MINUTE_US
    batch = Batch()
    for at_us in range(MONDAY_US, MONDAY_US + 10 * MINUTE_US, MINUTE_US):
        own = MADE_UP if at_us < turn_us else {}
        origin = "simulated" if own else "live"
        number = at_us // MINUTE_US - MONDAY_US // MINUTE_US + 1
        batch.records.append(record(number, arrived_at_us=at_us, origin=origin, **own))
        batch.samples.append(minute(at_us + MINUTE_US, **own))
    commit(path, batch, now_us=NOW_US)
    # The last simulated sample ends as the window begins: its machine is none of it.
    found = load_simulated(path, Window("5 minutes", 5 * MINUTE_US, MINUTE_US), NOW_US)
    assert found == SimulatedShown(Simulated(nodes=1), Simulated(5, 5, 1, 1))
    longer = load_simulated(path, Window("9 minutes", 9 * MINUTE_US, MINUTE_US), NOW_US)
    assert longer.shown == Simulated(9, 4, 2, 1)
    assert longer.before == Simulated(), "too little is stored of it to compare with"


def test_what_is_hidden_is_not_offered_as_a_choice(database: Path) -> None:
    with open_reader(database) as connection:
        offered = read_choices(connection, HIDDEN)
        labels = read_label_choices(connection, ONLY)
        everything = read_choices(connection)
    assert (offered["tenant"], offered["node_id"]) == (["shop"], ["node-1"])
    assert offered["instance_type"] == ["c7i.xlarge"]
    assert everything["node_id"] == ["node-1", "sim-1"]
    assert set(labels) == {"team"}


def test_the_overview_as_json_says_what_is_simulated_and_can_leave_it_out(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*options: str) -> dict[str, object]:
        arguments = ["reports", "overview", "--database", str(database), *options]
        monkeypatch.setattr("sys.argv", arguments)
        assert main() == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return {name: found[name] for name in found if name in told}

    told = ("requests", "records_stored", "records_simulated", "simulated_requests")
    assert printed() == dict(zip(told, (12, 12, 10, 10), strict=True))
    assert printed("--without-simulated") == dict(zip(told, (2, 2, 0, 0), strict=True))


def test_what_is_declared_is_real_and_costs_nothing_beside_simulated_runs_alone(
    database: Path,
) -> None:
    cache = '[[cache]]\nname = "redis"\ncloud = "aws"\nregion = "us-east-1"\n'
    resources = parse_resources(
        f'{cache}usd_per_hour = "0.06"\nfrom = 2025-01-01\n', "resources.toml"
    )
    book = PriceBook(Catalogue([]), resources=resources)

    def cost(where: Filter) -> Decimal:
        found = load_costs(database, book, QUARTER, NOW_US, where)
        assert found is not None
        return to_usd(found.total.cache, 6)

    # Fifteen minutes up to the newest fact.
    assert cost(HIDDEN) == cost(Filter()) == Decimal("0.015")
    assert cost(ONLY) == 0


def test_before_and_after_the_facts_there_is_nothing(database: Path) -> None:
    later = Period(NOW_US + MINUTE_US, NOW_US + 2 * MINUTE_US)
    assert counted(database, later) == Simulated()


def test_hidden_history_is_no_coverage(database: Path) -> None:
    with open_reader(database) as connection:
        everything, hidden = read_state(connection), read_state(connection, HIDDEN)
    assert (everything.records, hidden.records) == (12, 2)
    assert everything.first_fact_us == MONDAY_US
    assert hidden.first_fact_us == MONDAY_US + 8 * MINUTE_US
    assert everything.commits == hidden.commits


def test_rates_and_costs_are_those_of_what_is_shown(database: Path) -> None:
    catalogue = Catalogue(
        [Price(MACHINE, 60_000, None, "2025", "test"), Price(DEAR, 6_000_000, None, "2025", "test")]
    )

    def current(where: Filter) -> Figures:
        found = load_overview(database, catalogue, QUARTER, NOW_US, where)
        assert found is not None
        return found.current

    for where, requests, usd_per_hour, minutes in (
        (HIDDEN, 2, 0.06, 2),
        (ONLY, 10, 6.0, 10),
        (Filter(), 12, 6.0 + 0.06 / 5, 10),
    ):
        figures = current(where)
        assert figures.requests == requests
        assert figures.spend_usd_per_hour == pytest.approx(usd_per_hour)
        assert figures.requests_per_s == pytest.approx(requests / 60 / minutes)


def test_a_window_and_a_period_are_looked_at_alike(database: Path) -> None:
    period = Period(NOW_US - QUARTER.length_us, NOW_US)
    assert load_simulated(database, QUARTER, NOW_US) == load_simulated(database, period, NOW_US)
    assert load_simulated(database, QUARTER, NOW_US).shown.simulated_requests == 10


def test_where_all_is_simulated_and_hidden_it_is_still_counted(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    made_up = record(1, arrived_at_us=NOW_US - SECOND_US, origin="simulated", **MADE_UP)
    commit(path, Batch([made_up], [minute(NOW_US, **MADE_UP)]), now_us=NOW_US)
    assert load_simulated(path, QUARTER, NOW_US, HIDDEN).shown == Simulated(1, 1, 1, 1)


def test_an_empty_database_has_nothing_simulated(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    commit(path, Batch(), now_us=NOW_US)
    assert load_simulated(path, QUARTER, NOW_US) == SimulatedShown()


def test_health_asks_nothing_of_machines_that_never_ran(database: Path) -> None:
    # An hour later both nodes are silent; the price of the dear machine is not known.
    catalogue = Catalogue([Price(MACHINE, 60_000, None, "2025-10-04", "test")])
    found = load_health(database, catalogue, WINDOWS[2], NOW_US + 60 * MINUTE_US)
    assert [boot.node_id for boot in found.silent] == ["node-1"]
    assert found.active == 1
    assert [price.machine for price in found.prices] == [MACHINE]
