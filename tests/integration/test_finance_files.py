"""A finance file adds up to what the product says elsewhere, and meets every trap of its format."""

import csv
import hashlib
import json
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from costs import TICKS_PER_USD, Sharing
from costs.focus import BOM, COLUMNS, HEADER, Kind, Row, RowCheck
from costs.invoice import Bill
from reports import load_overview
from reports.costs import load_costs
from reports.finance import (
    FinanceError,
    FinanceQuery,
    Grain,
    IdleRule,
    NamedBill,
    charge_source,
    preview,
    write_files,
)
from store import Batch, Filter, commit
from tests.fixtures_usage import MINUTE_US, MONDAY_US, node_sample, traffic
from tests.integration.finance_files import (
    UNIT_US,
    Line,
    Written,
    book,
    by,
    day_of,
    days,
    usd,
    write,
)
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

MONDAY = day_of(MONDAY_US)
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
    path = tmp_path_factory.mktemp("finance") / "usage.duckdb"
    commit(path, fleet_facts(), now_us=PERIOD.to_us)
    return path


@pytest.fixture(scope="module")
def written(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(database, days(MONDAY), book(), tmp_path_factory.mktemp("out"), excel=True)


def machine_lines(written: Written) -> list[Line]:
    return written.of(ServiceCategory="Compute")


def test_machine_time_of_the_file_is_the_machine_cost_of_the_overview(
    database: Path, written: Written
) -> None:
    found = load_overview(database, book().machines, None, PERIOD.to_us, REAL)
    assert found is not None
    exact = Fraction(found.current.cost.machine, TICKS_PER_USD)
    part = written.reconciliation["exact"]["parts"][0]
    assert part["part"] == "machine time"
    assert abs(Fraction(part["exact_usd"]) - exact) < Fraction(1, 10**17)
    # A unit for each of two machines, at the dearer of their prices.
    least = sum(rate(m, PERIOD.to_us) for m in {MACHINES["node-1"], MACHINES["node-3"]} if m)
    assert abs(Fraction(usd(machine_lines(written))) - exact) <= Fraction(least, 10**12)


def test_the_file_comes_to_what_the_costs_page_says(database: Path, written: Written) -> None:
    report = load_costs(database, book(), None, PERIOD.to_us, REAL)
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


def test_every_row_satisfies_every_rule_when_it_is_read_back(written: Written) -> None:
    check = RowCheck()
    for line in written.lines:
        check(parsed(line))
        for name in ("List", "Contracted"):
            if line[f"{name}UnitPrice"]:
                product = Decimal(line[f"{name}UnitPrice"]) * Decimal(line["PricingQuantity"])
                assert product == Decimal(line[f"{name}Cost"])


def parsed(line: Line) -> Row:
    fields: dict[str, Any] = {}
    for column in COLUMNS:
        text = line[column.name]
        if not text:
            continue
        match column.kind:
            case Kind.DECIMAL:
                fields[column.field] = Decimal(text)
            case Kind.INTEGER:
                fields[column.field] = int(text)
            case Kind.BOOLEAN:
                fields[column.field] = text == "true"
            case Kind.INSTANT:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
                instant = date.fromisoformat(text[:10]).toordinal() - 719_163
                clock = [int(part) for part in text[11:-1].split(":")]
                seconds = instant * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
                fields[column.field] = seconds * 10**6
            case _:
                fields[column.field] = text
    return Row(**fields)


def test_the_file_has_every_column_and_no_quoted_nothing(written: Written) -> None:
    raw = written.path.read_bytes()
    header, *lines = raw.split(b"\r\n")
    assert header.decode() == ",".join(HEADER)
    assert lines[-1] == b""
    assert b',"",' not in raw
    assert not raw.startswith(BOM)
    decimals = [column.name for column in COLUMNS if column.kind is Kind.DECIMAL]
    for line in written.lines:
        assert all("." in line[name] for name in decimals if line[name])
        assert not any("e" in line[name].lower() for name in decimals)
        assert not any(line[name].startswith("+") for name in decimals)


def test_rows_are_in_order_and_none_is_there_twice(written: Written) -> None:
    keys = [
        (
            line["ChargePeriodStart"],
            line["ServiceName"],
            line["ResourceId"],
            line["ChargeCategory"],
            line["ChargeDescription"],
        )
        for line in written.lines
    ]
    assert keys == sorted(keys)
    assert len({tuple(line.values()) for line in written.lines}) == len(written.lines)


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
    found = write(database, days(MONDAY, grain=grain, idle=idle), book(), tmp_path)
    assert usd(machine_lines(found)) == usd(machine_lines(written))
    assert usd(found.lines, "BilledCost") == usd(written.lines, "BilledCost")
    method = f"idle-{idle.sharing}"
    idle_lines = found.of(x_IsIdle="true")
    if idle.sharing is Sharing.OWNER:
        assert {line["x_Tenant"] for line in idle_lines} == {"platform"}
        assert {line["x_AllocationMethod"] for line in idle_lines} == {method}
    elif idle.sharing is not Sharing.SEPARATE:
        assert idle_lines == []
        assert {line["x_AllocationMethod"] for line in machine_lines(found)} == {method}


def test_even_gives_every_tenant_of_a_machine_the_same_part_of_its_idle_time(
    database: Path, tmp_path: Path, written: Written
) -> None:
    even = write(database, days(MONDAY, idle=IdleRule(Sharing.EVEN)), book(), tmp_path)
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
    found = write(database, days(MONDAY, simulated=True), book(), tmp_path)
    made_up = found.of(ResourceId=node, x_IsIdle="false")
    assert made_up
    assert found.of(x_Origin="simulated")
    assert found.reconciliation["period"]["simulated"] == "included"


def test_the_charges_of_an_invoice_are_whole_cents(written: Written) -> None:
    for lines in by(written.lines, "InvoiceId").values():
        total = usd(lines, "BilledCost")
        assert total == round(total, 2)
        [adjustment] = [line for line in lines if line["ChargeCategory"] == "Adjustment"]
        assert adjustment["ChargeDescription"].startswith("Rounding to invoice total")
        assert adjustment["PricingQuantity"] == adjustment["SkuId"] == ""
        assert adjustment["BillingCurrency"] == "USD"


def test_the_variant_for_spreadsheets_has_the_same_charges_and_no_formula(
    written: Written,
) -> None:
    excel = written.path.with_name(f"{written.path.stem}-excel.csv")
    raw = excel.read_bytes()
    assert raw.startswith(BOM)
    with excel.open(encoding="utf-8-sig", newline="") as text:
        lines = list(csv.DictReader(text))
    kinds = {column.name: column.kind for column in COLUMNS}
    for line, own in zip(lines, written.lines, strict=True):
        for name, text_there in line.items():
            if kinds[name] in (Kind.TEXT, Kind.JSON):
                assert text_there[:1] not in ("=", "+", "-", "@", "\t", "\r", "\0")
                assert text_there.removeprefix("'") == own[name].removeprefix("'")
            else:
                assert text_there == own[name]


def test_the_same_facts_give_the_same_bytes(
    database: Path, tmp_path: Path, written: Written
) -> None:
    again = write(database, days(MONDAY), book(), tmp_path, excel=True)
    for path, other in zip(written.files.paths, again.files.paths, strict=True):
        assert path.read_bytes() == other.read_bytes(), path.name


def test_facts_that_came_in_another_order_give_the_same_charges(
    tmp_path: Path, written: Written
) -> None:
    facts = fleet_facts()
    other = tmp_path / "other.duckdb"
    for records, samples in (
        (facts.records[1::2], facts.samples),
        (facts.records[::2], []),
    ):
        commit(other, Batch(records[::-1], samples), now_us=PERIOD.to_us)
    assert write(other, days(MONDAY), book(), tmp_path / "out").lines == written.lines


def test_the_reconciliation_says_what_the_file_is(written: Written) -> None:
    found = written.reconciliation
    for each, path in zip(found["files"], written.files.paths, strict=False):
        raw = path.read_bytes()
        assert (each["name"], each["bytes"]) == (path.name, len(raw))
        assert each["sha256"] == hashlib.sha256(raw).hexdigest()
    assert found["rows"] == len(written.lines)
    for name in ("List", "Contracted", "Effective", "Billed"):
        total = usd(written.lines, f"{name}Cost")
        key = f"{name.lower()}_usd"
        assert Decimal(found["totals"][key]) == total
        for groups in ("by_component", "by_charge_category", "by_service"):
            assert sum(Decimal(g[key]) for g in found[groups].values()) == total
    explained = {name: Decimal(text) for name, text in found["exact"]["explained"].items()}
    assert explained["effective_usd"] == usd(written.lines)
    assert abs(
        explained["exact_usd"]
        + explained["rounded_quantities_usd"]
        + explained["adjustments_usd"]
        - explained["effective_usd"]
    ) < Decimal("1E-16")


def test_the_reconciliation_says_what_the_facts_lack(written: Written) -> None:
    found = written.reconciliation["completeness"]
    assert found["whole"] is False
    assert found["newest_fact"] == found["facts_up_to"] == "2025-11-03T14:05:00Z"
    assert found["dropped_facts"] == {"node-3": 7}
    problems = " / ".join(found["problems"])
    for words in ("not to the end of the period", "dropped 7 facts", "no machine time"):
        assert words in problems


def test_the_metadata_have_the_instant_of_the_newest_commit(written: Written) -> None:
    path = next(path for path in written.files.paths if "metadata" in path.name)
    found = json.loads(path.read_text())
    assert found["Schema"]["CreationDate"] == "2025-11-03T14:05:00Z"
    assert len(found["Schema"]["ColumnDefinition"]) == len(HEADER)


def test_a_bill_is_matched_by_a_row_of_its_own(database: Path, tmp_path: Path) -> None:
    query = days(MONDAY, cloud="aws")
    bill = NamedBill("total", Bill(Decimal("12.34")))
    found = write(database, query, book(), tmp_path, bill=bill)
    assert usd(found.lines, "BilledCost") == Decimal("12.34")
    [row] = found.of(ServiceName="Invoice difference")
    assert Decimal(row["BilledCost"]) == Decimal("12.34") - Decimal("0.02")
    assert found.reconciliation["bill"]["difference_usd"] == "12.32"
    assert {line["ProviderName"] for line in found.lines} == {"Amazon Web Services"}


def test_a_bill_for_several_invoices_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(FinanceError, match="aws 2025-11, gcp 2025-11"):
        write(database, days(MONDAY), book(), tmp_path, bill=NamedBill("t", Bill(Decimal(1))))
    assert list(tmp_path.iterdir()) == []


def test_the_id_of_an_invoice_is_for_one_invoice(database: Path, tmp_path: Path) -> None:
    with pytest.raises(FinanceError, match=r"INV-1: .* aws 2025-11, gcp 2025-11"):
        write(database, days(MONDAY, invoice_id="INV-1"), book(), tmp_path)
    found = write(database, days(MONDAY, invoice_id="INV-1", cloud="gcp"), book(), tmp_path)
    assert {line["InvoiceId"] for line in found.lines} == {"INV-1"}


def test_a_machine_without_a_price_is_refused_or_left_out_and_told(
    database: Path, tmp_path: Path
) -> None:
    prices = book()
    cheap = type(prices.machines)(
        price for price in prices.machines if price.machine.cloud == "aws"
    )
    known = book_of(cheap)
    with pytest.raises(FinanceError, match=r"gcp g2-standard-4.*0\.08 hours"):
        write(database, days(MONDAY), known, tmp_path)
    found = write(database, days(MONDAY, leave_out_unpriced=True), known, tmp_path)
    assert {line["ProviderName"] for line in machine_lines(found)} == {"Amazon Web Services"}
    assert list(found.reconciliation["completeness"]["unpriced_machines"].values()) == [
        "0.083333 hours"
    ]


def book_of(catalogue: Any) -> Any:
    return type(book())(catalogue)


def test_a_period_without_facts_is_told_with_what_there_is(database: Path, tmp_path: Path) -> None:
    query = days(date(2024, 1, 1), 31)
    with pytest.raises(FinanceError, match=r"2024-01-01.*2025-11-03T14:00:00Z"):
        write(database, query, book(), tmp_path)
    with pytest.raises(FinanceError, match="cloud azure"):
        write(database, days(MONDAY, cloud="azure"), book(), tmp_path)


def test_the_database_is_free_while_rows_are_written(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    path.write_bytes(database.read_bytes())
    with charge_source(path, book(), {}, days(MONDAY)) as source:
        rows = source.charges()
        next(rows)
        commit(path, Batch(samples=[node_sample(sampled_at_us=PERIOD.to_us)]), now_us=1)
        next(rows)


def test_names_that_a_reader_could_misread_are_in_the_file_unharmed(tmp_path: Path) -> None:
    names = ['=HYPERLINK("x")', "Z\u00fcrich", "null", " padded ", 'a,b\n"c"', "1", "+1.50"]
    facts = traffic(MONDAY_US, MONDAY_US + MINUTE_US, per_second=2)
    records = [
        replace(record, tenant=names[n % len(names)], labels={"team": names[n % len(names)]})
        for n, record in enumerate(facts.records)
    ]
    database = tmp_path / "names.duckdb"
    commit(database, Batch(records, facts.samples), now_us=1)
    found = write(database, days(MONDAY), book(), tmp_path / "out", excel=True)
    tenants = {
        json.loads(text) if text.startswith('"') else text
        for text in (line["x_Tenant"] for line in found.of(x_IsIdle="false"))
        if text
    }
    assert tenants == set(names)
    assert {json.loads(line["Tags"])["tenant"] for line in found.of(x_IsIdle="false")} == set(names)
    focus = {column.name for column in COLUMNS[:57]}
    assert all(v.isascii() for line in found.lines for k, v in line.items() if k in focus)


def test_a_preview_is_the_beginning_of_the_file(database: Path, written: Written) -> None:
    with charge_source(database, book(), {}, days(MONDAY)) as source:
        rows, plan = preview(source, 5)
    assert [[cell or "" for cell in row] for row in rows] == [
        list(line.values()) for line in written.lines[:5]
    ]
    assert sum(plan.billed.values()) == sum(
        Decimal(i["charges_usd"]) for i in written.reconciliation["invoices"]
    )


def test_nothing_is_left_behind_when_the_folder_cannot_be_written(
    database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(FinanceError, match="a folder with room is required"):
        write(database, days(MONDAY), book(), file)


def test_what_breaks_while_rows_are_written_leaves_the_files_of_before(
    database: Path, tmp_path: Path
) -> None:
    write(database, days(MONDAY), book(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(rows: int, at_us: int) -> None:
        raise KeyboardInterrupt

    with (
        charge_source(database, book(), {}, days(MONDAY)) as source,
        pytest.raises(KeyboardInterrupt),
    ):
        write_files(source, tmp_path, progress=broken)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("separate", IdleRule()),
        ("even", IdleRule(Sharing.EVEN)),
        ("owner: platform team", IdleRule(Sharing.OWNER, "platform team")),
    ],
)
def test_a_rule_for_idle_time_is_read(text: str, found: IdleRule) -> None:
    assert IdleRule.parse(text) == found


@pytest.mark.parametrize("text", ["", "owner", "owner:", "half", "even:x", "owner:" + "x" * 129])
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FinanceError, match="accepted: separate"):
        IdleRule.parse(text)


def test_a_period_that_is_none_is_refused() -> None:
    for first, last in (("2026-11-01", "2026-11-01"), ("2026-12-01", "2026-11-01")):
        with pytest.raises(FinanceError, match="an end after the begin"):
            FinanceQuery(date.fromisoformat(first), date.fromisoformat(last))
