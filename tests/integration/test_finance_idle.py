"""Who bears idle time in a finance file: those that machines of the same kind executed for."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from costs import Price, PriceBook, Sharing
from costs.price_folder import parse_book
from reports.finance import Grain, IdleRule
from store import MINUTE_US, Batch, commit
from tests.fixtures_usage import MONDAY_US, node_sample
from tests.integration.finance_files import Line, Written, by, days, usd, write
from tests.integration.finance_fleet import MONDAY, machine_lines
from tests.integration.finance_idle import END_US, GPU, idle_book, idle_database, idle_facts
from tests.integration.finance_prices import PRICES

PROPORTIONAL, EVEN = IdleRule(Sharing.PROPORTIONAL), IdleRule(Sharing.EVEN)
RULES = [PROPORTIONAL, EVEN, IdleRule(Sharing.OWNER, "platform")]
FIRST, SECOND = "2025-11-03T14:00:00Z", "2025-11-03T15:00:00Z"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return idle_database(tmp_path_factory.mktemp("idle") / "usage.duckdb")


def units(lines: list[Line], *columns: str) -> dict[tuple[str, ...], int]:
    """Return the millionths of an hour by the values of `columns`."""
    return {
        key: int(usd(own, "PricingQuantity") * 10**6) for key, own in by(lines, *columns).items()
    }


# a has 30 of the 36 minutes that CPUs executed. Idle are half of n1 and nine tenths of n2 and n3.
BORNE = {
    PROPORTIONAL: {
        ("n1", "a"): 416_667, ("n1", "b"): 83_333,
        ("n2", "a"): 750_000, ("n2", "b"): 150_000,
        ("n3", "b"): 900_000,
    },
    EVEN: {
        ("n1", "a"): 250_000, ("n1", "b"): 250_000,
        ("n2", "a"): 450_000, ("n2", "b"): 450_000,
        ("n3", "b"): 900_000,
    },
}  # fmt: skip

# Of what a bears, digits of team x have 20 minutes of 30, the ranker without a team 10.
DIGITS = ("a", "digits", '{"app":"__idle__","team":"x","tenant":"a"}')
RANKER = ("a", "ranker", '{"app":"__idle__","tenant":"a"}')
OF_B = ("b", "digits", '{"app":"__idle__","tenant":"b"}')
BORNE_BY_USE = {
    PROPORTIONAL: {
        ("n1", *DIGITS): 277_778, ("n1", *RANKER): 138_889, ("n1", *OF_B): 83_333,
        ("n2", *DIGITS): 500_000, ("n2", *RANKER): 250_000, ("n2", *OF_B): 150_000,
        ("n3", *OF_B): 900_000,
    },
    EVEN: {
        ("n1", *DIGITS): 166_667, ("n1", *RANKER): 83_333, ("n1", *OF_B): 250_000,
        ("n2", *DIGITS): 300_000, ("n2", *RANKER): 150_000, ("n2", *OF_B): 450_000,
        ("n3", *OF_B): 900_000,
    },
}  # fmt: skip


@pytest.mark.parametrize("rule", BORNE, ids=str)
def test_idle_time_by_the_hour_is_borne_as_worked_out_by_hand(
    database: Path, tmp_path: Path, rule: IdleRule
) -> None:
    found = write(database, days(MONDAY, idle=rule), idle_book(), tmp_path)
    idle = found.of(x_IsIdle="true", ChargePeriodStart=FIRST)
    borne = units(idle, "ResourceId", "x_Tenant")
    assert borne == {(f"node/{node}", who): part for (node, who), part in BORNE[rule].items()}
    assert {line["x_AllocationMethod"] for line in idle} == {f"idle-{rule}"}
    by_use = units(idle, "ResourceId", "x_Tenant", "x_ModelName", "Tags")
    assert by_use == {
        (f"node/{node}", *of): part for (node, *of), part in BORNE_BY_USE[rule].items()
    }
    assert len(idle) == len(by_use)
    # Not what else requests are told apart by; and nothing is counted.
    for name in ("x_ModelVersion", "x_ModelVariant", "x_Outcome", "x_Origin"):
        assert {line[name] for line in idle} == {""}
    for name in ("x_RequestCount", "x_InputTokens", "x_OutputTokens"):
        assert {line[name] for line in idle} == {"0"}
    # In the next hour no CPU executed anything, and nobody bears the one that ran.
    [apart] = found.of(x_IsIdle="true", ChargePeriodStart=SECOND)
    assert (apart["ResourceId"], apart["PricingQuantity"]) == ("node/n1", "1.0")
    assert (apart["x_Tenant"], apart["x_AllocationMethod"]) == ("", "idle-separate")


def test_by_the_day_an_hour_without_work_is_borne_like_the_others(
    database: Path, tmp_path: Path
) -> None:
    query = days(MONDAY, grain=Grain.DAY, idle=PROPORTIONAL)
    found = write(database, query, idle_book(), tmp_path)
    # 0.5 of n1's first hour, all of its second, 0.9 of n2's: 2.4 hours, five sixths of them a's.
    cost = {tenant: usd(lines) for (tenant,), lines in by(machine_lines(found), "x_Tenant").items()}
    cpu, gpu = Decimal("0.2"), Decimal("0.5")
    assert set(cost) == {"a", "b"}
    assert cost["a"] == (Decimal("0.5") + Decimal(2)) * cpu
    assert cost["b"] == (Decimal("0.1") + Decimal("0.4")) * cpu + gpu


@pytest.mark.parametrize("grain", list(Grain))
def test_a_price_of_another_kind_that_changes_within_it_parts_no_day_and_no_hour(
    database: Path, tmp_path: Path, grain: Grain
) -> None:
    # Half an hour into the first hour: each node has two steps in it, n1 and n2 at one price.
    dearer = Price(GPU, 600_000, MONDAY_US + 30 * MINUTE_US, "2025", "test")
    query = days(MONDAY, grain=grain, idle=PROPORTIONAL)
    whole = write(database, query, idle_book(), tmp_path / "whole")
    cut = write(database, query, idle_book(dearer), tmp_path / "cut")
    lines = [line for line in cut.of(x_IsIdle="true") if line["ResourceId"] != "node/n3"]
    assert "2025-11-03T14:30:00Z" in {line["ChargePeriodStart"] for line in lines}
    expected = [line for line in whole.of(x_IsIdle="true") if line["ResourceId"] != "node/n3"]
    borne, before = (
        units(lines, "ResourceId", "x_Tenant"),
        units(expected, "ResourceId", "x_Tenant"),
    )
    assert set(borne) == set(before)
    assert all(abs(borne[key] - before[key]) <= 2 for key in borne)
    # All that n3 executed is of before: at the new price it stands by for nobody.
    late = cut.of(ResourceId="node/n3", ListUnitPrice="0.6")
    assert {line["x_Tenant"] for line in late} == {""}


@pytest.fixture(scope="module")
def reserved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two reserved machines of one commitment, which covers a part of the second: that works."""
    facts = idle_facts()
    others = [
        node_sample(
            node_id=f"n{number}",
            boot_id=f"0198c0de-0000-7000-8000-00000000000{number}",
            sampled_at_us=MONDAY_US + (minute + 1) * MINUTE_US,
            interval_us=MINUTE_US,
            workers_ready=1,
            purchase_option="reserved",
        )
        for number in (0, 1)
        for minute in range(90)
    ]
    path = tmp_path_factory.mktemp("reserved") / "usage.duckdb"
    records = [record for record in facts.records if record.node_id == "n1"]
    commit(path, Batch(records, others), now_us=END_US)
    return path


@pytest.fixture(scope="module", params=["fleet", "reserved"])
def priced(
    request: pytest.FixtureRequest, database: Path, reserved: Path
) -> tuple[Path, PriceBook]:
    if request.param == "reserved":
        return reserved, parse_book(PRICES, "prices")
    return database, idle_book()


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("grain", list(Grain))
def test_who_bears_idle_time_changes_nothing_but_that(
    priced: tuple[Path, PriceBook], tmp_path: Path, rule: IdleRule, grain: Grain
) -> None:
    database, book = priced
    apart = write(database, days(MONDAY, grain=grain), book, tmp_path / "apart")
    found = write(database, days(MONDAY, grain=grain, idle=rule), book, tmp_path / "shared")
    # All but idle time is the same row by row: also what was used, and the requests of it.
    assert not_idle(found) == not_idle(apart)
    assert {line["x_Tenant"] for line in apart.of(x_IsIdle="true")} == {""}
    # Idle time is the same by machine, step and terms, in hours and in money.
    where = ("ChargePeriodStart", "ResourceId", "SkuId", "CommitmentDiscountId")
    ours, theirs = (by(each.of(x_IsIdle="true"), *where) for each in (found, apart))
    assert set(ours) == set(theirs)
    columns = ("PricingQuantity", "ListCost", "ContractedCost", "EffectiveCost", "BilledCost")
    for key, lines in ours.items():
        assert [usd(lines, name) for name in columns] == [
            usd(theirs[key], name) for name in columns
        ]
        assert {line["x_RequestCount"] for line in lines} == {"0"}
    for name in ("totals", "by_component", "exact", "invoices", "requests"):
        assert sums_of(found, name) == sums_of(apart, name)


def not_idle(written: Written) -> list[Line]:
    return [line for line in written.lines if line["x_IsIdle"] != "true"]


def sums_of(written: Written, name: str) -> object:
    """Return a part of the reconciliation without numbers of rows."""

    def plain(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: plain(each) for key, each in value.items() if key != "rows"}

    return plain(written.reconciliation[name])


def test_a_reserved_machine_that_executed_nothing_is_borne_by_whom_its_kind_executed_for(
    reserved: Path, tmp_path: Path
) -> None:
    query = days(MONDAY, grain=Grain.DAY, idle=PROPORTIONAL)
    found = write(reserved, query, parse_book(PRICES, "prices"), tmp_path)
    idle = by(found.of(x_IsIdle="true"), "ResourceId", "CommitmentDiscountStatus", "x_Tenant")
    assert set(idle) == {
        ("node/n0", "Used", "a"), ("node/n1", "Used", "a"), ("node/n1", "", "a"),
    }  # fmt: skip
    assert not found.of(ResourceId="node/n0", x_IsIdle="false")
    assert found.reconciliation["requests"]["in_file"] == 2


def test_requests_that_differ_in_a_label_called_app_alone_share_a_row_of_idle_time(
    tmp_path: Path,
) -> None:
    facts = idle_facts()
    apps = ({"app": "shop"}, {"app": "blog"})
    facts.records[:2] = [
        msgspec.structs.replace(record, model="digits", compute_us=MINUTE_US, labels=labels)
        for record, labels in zip(facts.records[:2], apps, strict=True)
    ]
    commit(tmp_path / "usage.duckdb", facts, now_us=END_US)
    query = days(MONDAY, idle=PROPORTIONAL)
    found = write(tmp_path / "usage.duckdb", query, idle_book(), tmp_path / "out")
    used = by(found.of(ResourceId="node/n1", x_IsIdle="false"), "Tags")
    assert set(used) == {('{"app":"blog","tenant":"a"}',), ('{"app":"shop","tenant":"a"}',)}
    idle = found.of(ResourceId="node/n1", x_IsIdle="true", x_Tenant="a")
    # Two of the eight minutes that CPUs executed, of the 58 that n1 was idle.
    [line] = idle
    assert line["Tags"] == '{"app":"__idle__","tenant":"a"}'
    assert line["PricingQuantity"] == "0.241667"


def test_the_same_facts_give_the_same_bytes_when_idle_time_is_shared(
    database: Path, tmp_path: Path
) -> None:
    one, other = (
        write(database, days(MONDAY, idle=EVEN), idle_book(), tmp_path / name).path.read_bytes()
        for name in ("one", "other")
    )
    assert one == other
