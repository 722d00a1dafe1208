"""Costs by group: what is listed and what is handed out is all of it, to the last digit."""

import csv
import io
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from costs import TICKS_PER_USD, Components, Sharing
from dashboard.cost_table import APART, MOST_LISTED, slice_csv, slice_frame, styled
from reports.costs import CostReport, CostSlice
from reports.costs.savings import NOTHING, Savings
from reports.window import Frame
from store import EVERYTHING, MINUTE_US, By, ByLabel, Filter, Grouping, Period, StoreState, Totals
from tests.fixtures_usage import MONDAY_US

PERIOD = Period(MONDAY_US, MONDAY_US + 2 * MINUTE_US)
THIRD = Fraction(TICKS_PER_USD, 3 * 10**12)  # a third of what the last digit of a file is


def report(
    slices: list[CostSlice],
    *,
    by: tuple[Grouping, ...] = (By.TENANT,),
    apart: Fraction = Fraction(0),
    where: Filter = EVERYTHING,
    steps: tuple[tuple[int, Components], ...] = (),
    covered_to_us: int = PERIOD.to_us,
) -> CostReport:
    """Return a report of these slices, and nothing else."""
    state = StoreState(1, 1, 1, 0, MONDAY_US, MONDAY_US, MONDAY_US)
    return CostReport(
        shown=Frame(state, PERIOD, MINUTE_US, (PERIOD.from_us, covered_to_us), 0),
        where=where,
        by=by,
        rule=Sharing.SEPARATE,
        total=Components(),
        previous=None,
        previous_successes=0,
        steps=list(steps),
        slices=slices,
        apart=apart,
        bought=[],
        flows=[],
        savings=Savings(NOTHING, NOTHING, NOTHING, ()),
        commitments=[],
        retries=None,
        retried=None,
        unmeasured=0,
        unpriced=(),
        unpriced_bytes=(),
        dropped=[],
    )


def tenant(name: str | None, cost: Fraction = THIRD, borne: Fraction = THIRD) -> CostSlice:
    return CostSlice(
        (name,), Totals(requests=3, failures=1), cost, 2 * cost, failed=cost, borne=borne
    )


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_file_adds_up_across_and_down_to_the_last_digit() -> None:
    # Thirds of the last digit: rounded one by one, all of them would be lost.
    found = report([tenant(f"t{n}") for n in range(100)], apart=5 * THIRD)
    rows = rows_of(slice_csv(found))
    assert len(rows) == 101
    digit = Decimal(1).scaleb(-12)
    sums = {
        name: sum(Decimal(row[f"{name}_usd"]) for row in rows)
        for name in ("compute", "network", "idle", "cost", "failed_requests")
    }
    # 100 x 1/3, 100 x 2/3, 105 x 1/3 of the last digit, each rounded once.
    assert sums == {
        "compute": 33 * digit,
        "network": 67 * digit,
        "idle": 35 * digit,
        "cost": 135 * digit,
        "failed_requests": 33 * digit,
    }
    for row in rows:
        parts = sum(Decimal(row[f"{name}_usd"]) for name in ("compute", "network", "idle"))
        assert parts == Decimal(row["cost_usd"])
    assert rows[-1]["tenant"] == APART
    assert sum(int(row["requests"]) for row in rows) == 300


def test_no_name_in_a_file_is_run_by_a_spreadsheet() -> None:
    by = (ByLabel("=cmd"),)
    header, row = csv.reader(
        io.StringIO(slice_csv(report([tenant("=HYPERLINK(1)", borne=-9 * THIRD)], by=by)))
    )
    assert header[0] == "label:=cmd"
    assert row[0] == "'=HYPERLINK(1)"
    # A number is no formula, below zero neither.
    assert row[header.index("idle_usd")] == "-0.000000000003"


def test_more_groups_than_anybody_reads_are_one_row_and_nothing_is_lost() -> None:
    many = MOST_LISTED * 3
    found = report([tenant(f"t{n}", Fraction(TICKS_PER_USD)) for n in range(many)])
    frame = slice_frame(found)
    assert len(frame) == MOST_LISTED + 1
    assert frame["group"].iloc[-1] == "2,000 others"
    assert frame["requests"].sum() == 3 * many
    assert frame["cost"].sum() == pytest.approx(3 * many)
    assert frame["share"].sum() == pytest.approx(1)
    # A unit cost of all of them together, not a sum of unit costs.
    assert frame["per_1000"].iloc[-1] == pytest.approx(1500)
    # What pandas accepts to style is limited.
    assert styled(frame).to_html(max_rows=2)
    assert len(rows_of(slice_csv(found))) == many


def test_nothing_is_an_empty_table() -> None:
    assert slice_frame(report([])).empty
    assert rows_of(slice_csv(report([]))) == []
    [row] = slice_frame(report([], apart=THIRD)).to_dict("records")
    assert (row["group"], row["share"]) == (APART, 1)


def test_a_step_costs_per_hour_of_what_is_stored_of_it() -> None:
    minute = Components(compute=Fraction(TICKS_PER_USD))
    found = report(
        [],
        steps=((MONDAY_US, minute), (MONDAY_US + MINUTE_US, minute)),
        covered_to_us=MONDAY_US + MINUTE_US + MINUTE_US // 4,
    )
    late = replace(found, steps=[*found.steps, (PERIOD.to_us, Components())])
    assert late.per_hour == found.per_hour
    # A dollar a minute, and a dollar in a quarter of one.
    assert [parts.compute / TICKS_PER_USD for _, parts in found.per_hour] == [60, 240]


def test_a_step_before_the_first_fact_is_paid_for_all_of_its_length() -> None:
    stored = Components(storage=Fraction(TICKS_PER_USD))
    found = report([], steps=((MONDAY_US - MINUTE_US, stored),))
    assert [parts.storage / TICKS_PER_USD for _, parts in found.per_hour] == [60]
