"""Rows as bytes, and what a reader of CSV makes of them."""

import csv
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costs.focus import (
    BOM,
    COLUMNS,
    HEADER,
    Kind,
    cells,
    csv_bytes,
    formula_safe_cells,
    header_bytes,
    own_name,
)
from tests.unit.costs.focus.focus_rows import adjustment, usage


def read(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))


def test_nothing_is_an_empty_field_without_quotes() -> None:
    line = csv_bytes([cells(adjustment())])
    assert line.startswith(b",0.003315,acct-4711,")
    assert b'""' not in line
    assert line.endswith(b",,,,,,,,,,,,\r\n")
    assert line.count(b",") == len(HEADER) - 1


def test_quotes_commas_and_line_breaks_are_quoted_as_rfc_4180_says() -> None:
    line = csv_bytes([cells(usage(tags='{"a":"b,c"}', charge_description='say "yes", twice'))])
    assert b'"say ""yes"", twice"' in line
    assert b'"{""a"":""b,c""}"' in line
    [found] = read(line)
    assert found[HEADER.index("Tags")] == '{"a":"b,c"}'


def test_every_decimal_has_a_point_and_every_instant_its_z() -> None:
    [found] = read(csv_bytes([cells(usage(billed_cost=Decimal(3)))]))
    by_name = dict(zip(HEADER, found, strict=True))
    assert by_name["BilledCost"] == "3.0"
    assert by_name["ChargePeriodStart"] == "2026-09-01T00:00:00Z"
    assert by_name["BillingPeriodEnd"] == "2026-10-01T00:00:00Z"
    assert by_name["x_IsIdle"] == "false"
    assert by_name["x_RequestCount"] == "40000"


def test_the_file_for_spreadsheets_has_a_mark_and_the_other_has_none() -> None:
    assert header_bytes().startswith(b"AvailabilityZone,BilledCost,")
    assert header_bytes(excel=True) == BOM + header_bytes()
    assert header_bytes().endswith(b"\r\n")


def test_a_formula_in_a_name_is_kept_in_the_file_and_made_safe_for_spreadsheets() -> None:
    evil = usage(x_tenant="=HYPERLINK(1)", tags='{"team":"=1+1"}')
    row = cells(evil)
    assert row[HEADER.index("x_Tenant")] == "=HYPERLINK(1)"
    [safe] = formula_safe_cells([row])
    assert safe[HEADER.index("x_Tenant")] == "'=HYPERLINK(1)"
    assert row[HEADER.index("x_Tenant")] == "=HYPERLINK(1)"


def test_a_number_is_never_quoted_even_where_it_begins_with_a_minus() -> None:
    [safe] = formula_safe_cells([cells(adjustment(billed_cost=Decimal("-1.25")))])
    assert safe[HEADER.index("BilledCost")] == "-1.25"


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_whatever_a_tenant_calls_itself_a_reader_finds_it_in_its_field(
    tenant: str, model: str
) -> None:
    row = usage(x_tenant=own_name(tenant), x_model_name=own_name(model))
    [found] = read(csv_bytes([cells(row)]))
    assert len(found) == len(HEADER)
    assert found[HEADER.index("x_Tenant")] == own_name(tenant)
    [safe] = read(csv_bytes(formula_safe_cells([cells(row)])))
    for column, text in zip(COLUMNS, safe, strict=True):
        if column.kind is Kind.TEXT:
            assert text[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
