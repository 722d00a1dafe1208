"""What a finance file charges is what the product says elsewhere, whoever bears idle time."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import TICKS_PER_USD, Catalogue, PriceBook, Sharing
from reports import load_overview
from reports.costs import load_costs
from reports.finance import (
    FinanceError,
    Grain,
    IdleRule,
)
from store import Filter
from tests.fixtures_usage import MINUTE_US, MONDAY_US
from tests.integration.finance_files import UNIT_US, Line, Written, by, days, usd, write
from tests.integration.finance_fleet import MONDAY, fleet_database, fleet_files, machine_lines
from tests.integration.fleet_prices import fleet_book
from tests.integration.usage_truth import (
    CHANGE_US,
    MACHINES,
    PERIOD,
    SIMULATED,
    Truth,
    fleet_facts,
    is_request,
    rate,
)

REAL = Filter(simulated=("no",))
RULES = [
    IdleRule(),
    IdleRule(Sharing.PROPORTIONAL),
    IdleRule(Sharing.EVEN),
    IdleRule(Sharing.OWNER, "platform"),
]
TRUTH = Truth(fleet_facts())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleet_database(tmp_path_factory)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return fleet_files(tmp_path_factory)


def test_machine_time_of_the_file_is_the_machine_cost_of_the_overview(
    database: Path, written: Written
) -> None:
    found = load_overview(database, fleet_book().machines, None, PERIOD.to_us, REAL)
    assert found is not None
    exact = Fraction(found.current.cost.machine, TICKS_PER_USD)
    part = written.reconciliation["exact"]["parts"][0]
    assert part["part"] == "machine time"
    assert abs(Fraction(part["exact_usd"]) - exact) < Fraction(1, 10**17)
    # A unit for each of two machines, at the dearer of their prices.
    least = sum(rate(m, PERIOD.to_us) for m in {MACHINES["node-1"], MACHINES["node-3"]} if m)
    assert abs(Fraction(usd(machine_lines(written))) - exact) <= Fraction(least, 10**12)


def test_the_file_comes_to_what_the_costs_page_says(database: Path, written: Written) -> None:
    report = load_costs(database, fleet_book(), None, PERIOD.to_us, REAL)
    assert report is not None
    exact = Fraction(written.reconciliation["exact"]["explained"]["exact_usd"])
    assert abs(exact - Fraction(report.total.total) / TICKS_PER_USD) < Fraction(1, 10**15)


def test_shares_of_a_machine_sum_to_its_hours_and_never_drift(written: Written) -> None:
    for (resource,), lines in by(machine_lines(written), "ResourceId").items():
        node = resource.removeprefix("node/")
        uptime_us = sum(s.interval_us for s in TRUTH.samples if s.node_id == node)
        units = Fraction(usd(lines, "PricingQuantity")) * 10**6
        assert abs(units - Fraction(uptime_us, UNIT_US)) <= Fraction(1, 2)
        for line in lines:
            assert line["ConsumedQuantity"] == line["PricingQuantity"]


def test_steps_are_cut_where_a_price_changes_and_each_side_has_its_own(written: Written) -> None:
    cut = "2025-11-03T14:02:00Z"
    assert CHANGE_US == MONDAY_US + 2 * MINUTE_US
    lines = machine_lines(written)
    before = [line for line in lines if line["ChargePeriodStart"] < cut]
    after = [line for line in lines if line["ChargePeriodStart"] == cut]
    assert len(before) + len(after) == len(lines)
    assert {line["ChargePeriodEnd"] for line in before} == {cut}
    assert {line["ChargePeriodEnd"] for line in after} == {"2025-11-03T15:00:00Z"}
    for (resource,), mine in by(before, "ResourceId").items():
        [price] = {line["ListUnitPrice"] for line in mine}
        [later] = {line["ListUnitPrice"] for line in after if line["ResourceId"] == resource}
        assert Decimal(later) == 2 * Decimal(price)


def test_spot_is_dynamic_and_on_demand_is_standard(written: Written) -> None:
    categories = {line["ResourceId"]: line["PricingCategory"] for line in machine_lines(written)}
    assert categories == {"node/node-1": "Standard", "node/node-3": "Dynamic"}


def test_idle_time_is_usage_of_its_own_resource_and_named(written: Written) -> None:
    idle = written.of(x_IsIdle="true")
    assert {line["ResourceId"] for line in idle} == {"node/node-1", "node/node-3"}
    for line in idle:
        assert line["ChargeCategory"] == "Usage"
        assert json.loads(line["Tags"]) == {"app": "__idle__"}
        assert line["CommitmentDiscountStatus"] == ""
        assert line["x_AllocationMethod"] == "idle-separate"
    others = [line for line in machine_lines(written) if line["x_IsIdle"] == "false"]
    assert {line["x_AllocationMethod"] for line in others} == {"busy-time"}
    # What nobody used, from the records: the step is short enough that nothing drifts.
    for (resource,), lines in by(idle, "ResourceId").items():
        node = resource.removeprefix("node/")
        owned = (TRUTH.machine_us(r) for r in TRUTH.records if r.node_id == node)
        used_us = sum(owned, Fraction(0))
        uptime_us = sum(s.interval_us for s in TRUTH.samples if s.node_id == node)
        units = Fraction(usd(lines, "PricingQuantity")) * 10**6
        assert abs(units - (uptime_us - used_us) / UNIT_US) < 3


def test_every_request_whose_machine_ran_is_counted_once(written: Written) -> None:
    truth = [r for r in TRUTH.records if is_request(r) and r.node_id in ("node-1", "node-3")]
    lines = machine_lines(written)
    assert sum(int(line["x_RequestCount"]) for line in lines) == len(truth)
    failed = [line for line in lines if line["x_Outcome"] == "failed"]
    assert sum(int(line["x_RequestCount"]) for line in failed) == sum(
        r.status >= 400 for r in truth
    )
    tokens = sum(int(line["x_OutputTokens"]) for line in lines)
    assert tokens == sum(r.output_tokens or 0 for r in truth)
    assert written.reconciliation["requests"]["in_file"] == len(truth)


def test_what_a_tenant_is_charged_is_its_share_of_machine_time(written: Written) -> None:
    for (tenant,), lines in by(machine_lines(written), "x_Tenant").items():
        if not tenant:
            continue
        exact = TRUTH.ticks(
            r for r in TRUTH.records if r.tenant == tenant and r.node_id in ("node-1", "node-3")
        )
        # Each row is within one unit of its exact share.
        slack = len(lines) * Fraction(2 * 706_832, 10**12)
        assert abs(Fraction(usd(lines)) - exact / TICKS_PER_USD) < slack


@pytest.mark.parametrize("idle", RULES, ids=str)
@pytest.mark.parametrize("grain", list(Grain))
def test_whoever_bears_idle_time_the_whole_is_the_same(
    database: Path, tmp_path: Path, written: Written, idle: IdleRule, grain: Grain
) -> None:
    found = write(database, days(MONDAY, grain=grain, idle=idle), fleet_book(), tmp_path)
    assert usd(machine_lines(found)) == usd(machine_lines(written))
    assert usd(found.lines, "BilledCost") == usd(written.lines, "BilledCost")
    method = f"idle-{idle.sharing}"
    idle_lines = found.of(x_IsIdle="true")
    if idle.sharing is Sharing.OWNER:
        assert {line["x_Tenant"] for line in idle_lines} == {"platform"}
    elif idle.sharing is not Sharing.SEPARATE:
        assert {line["x_Tenant"] for line in idle_lines} == {"shop", "search", "internal"}
    assert {line["x_AllocationMethod"] for line in idle_lines} == {method}


def test_even_gives_every_tenant_of_a_machine_the_same_part_of_its_idle_time(
    database: Path, tmp_path: Path, written: Written
) -> None:
    even = write(database, days(MONDAY, idle=IdleRule(Sharing.EVEN)), fleet_book(), tmp_path)
    apart = by(machine_lines(written), "ChargePeriodStart", "ResourceId", "x_Tenant")
    shared = by(machine_lines(even), "ChargePeriodStart", "ResourceId", "x_Tenant")

    def units(lines: list[Line]) -> Decimal:
        return usd(lines, "PricingQuantity") * 10**6

    for begin, resource in {key[:2] for key in shared}:
        tenants = [key for key in shared if key[:2] == (begin, resource)]
        assert len(tenants) == 3
        idle = units(apart[begin, resource, ""])
        for key in tenants:
            # Each row of both files is rounded by less than one unit.
            slack = len(shared[key]) + len(apart[key]) + 1
            assert abs(units(shared[key]) - units(apart[key]) - idle / 3) <= slack


def test_what_was_made_up_is_in_no_books_unless_asked_for_and_then_marked(
    database: Path, tmp_path: Path, written: Written
) -> None:
    node = f"node/{SIMULATED}"
    assert not written.of(ResourceId=node)
    assert not written.of(x_Origin="simulated")
    found = write(database, days(MONDAY, simulated=True), fleet_book(), tmp_path)
    made_up = found.of(ResourceId=node, x_IsIdle="false")
    assert made_up
    assert found.of(x_Origin="simulated")
    idle = {row["ChargeDescription"]: row["x_Origin"] for row in found.of(x_IsIdle="true")}
    assert any(words.endswith(": idle, simulated") for words in idle)
    for words, origin in idle.items():
        assert (origin == "simulated") == words.endswith(", simulated")
    assert found.reconciliation["period"]["simulated"] == "included"


def test_a_machine_without_a_price_is_refused_or_left_out_and_told(
    database: Path, tmp_path: Path
) -> None:
    known = PriceBook(Catalogue(p for p in fleet_book().machines if p.machine.cloud == "aws"))
    with pytest.raises(FinanceError, match=r"gcp g2-standard-4.*0\.08 hours"):
        write(database, days(MONDAY), known, tmp_path)
    found = write(database, days(MONDAY, leave_out_unpriced=True), known, tmp_path)
    assert {line["ProviderName"] for line in machine_lines(found)} == {"Amazon Web Services"}
    assert list(found.reconciliation["completeness"]["unpriced_machines"].values()) == [
        "0.083333 hours"
    ]
