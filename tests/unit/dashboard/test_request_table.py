"""Requests as a table to read and as a file of exact decimals."""

import csv
import io
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from costs import TICKS_PER_USD
from dashboard.request_table import CSV_COLUMNS, decimals_for, request_csv, request_frame
from reports import RequestCost
from tests.fixtures_usage import MONDAY_US, logged_request

MICRO_USD = Fraction(TICKS_PER_USD, 10**6)


def row(direct: Fraction | None = MICRO_USD, **overrides: Any) -> RequestCost:
    loaded = None if direct is None else 2 * direct
    return RequestCost(logged_request(**overrides), direct, loaded)


def parsed(rows: list[RequestCost]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(request_csv(rows))))


def test_the_table_tells_what_people_read() -> None:
    [shown] = request_frame(
        [row(arrived_at_us=MONDAY_US + 123_456)], ZoneInfo("Europe/Berlin")
    ).to_dict("records")
    assert shown["time"].isoformat() == "2025-11-03T15:00:00.123456+01:00"
    assert shown["model"] == "digits@1 (fp32)"
    assert (shown["queue_ms"], shown["compute_ms"], shown["total_ms"]) == (0.4, 1.5, 2.08)
    assert (shown["direct"], shown["fully_loaded"]) == (1.0, 2.0)


def test_a_request_without_model_batch_or_known_cost_has_empty_cells() -> None:
    rows = [row(None, model=None, batch_size=0, status=503, error="queue_full")]
    frame = request_frame(rows, ZoneInfo("UTC"))
    assert frame[["model", "batch", "direct", "fully_loaded"]].isna().all(axis=None)
    assert list(frame["result"]) == ["503 queue_full"]


def test_routes_have_a_column_where_there_is_one_to_tell() -> None:
    direct, shadow = row(), row(route="shadow")
    assert "route" not in request_frame([direct], ZoneInfo("UTC"))
    frame = request_frame([direct, shadow], ZoneInfo("UTC"))
    assert list(frame["route"]) == ["direct", "shadow"]
    assert list(frame).index("route") == list(frame).index("cache") + 1


def test_an_empty_list_is_an_empty_table() -> None:
    assert request_frame([], ZoneInfo("UTC")).empty


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([], 2), ([0.0], 2), ([0.0744, 1.65], 4), ([12.0], 1), ([1234.0], 0), ([1e-15], 9)],
)
def test_decimals_show_the_smallest_cost_with_three_digits(
    values: list[float], decimals: int
) -> None:
    assert decimals_for(values) == decimals


def test_the_file_has_exact_decimals_and_integer_microseconds() -> None:
    [line] = parsed([row(MICRO_USD / 8)])
    assert tuple(line) == CSV_COLUMNS
    assert Decimal(line["direct_usd"]) == Decimal("0.000000125")
    assert line["fully_loaded_usd"] == "0.00000025"
    assert line["total_us"] == "2080"
    assert line["arrived_at"] == "2025-11-03T14:00:00.000000+00:00"


def test_the_file_tells_an_unknown_cost_from_no_cost() -> None:
    unknown, none = parsed([row(None), row(Fraction(0))])
    assert unknown["direct_usd"] == ""
    assert none["direct_usd"] == "0"


@pytest.mark.parametrize("tenant", ["=1+1", "+1", "-1", "@sum"])
def test_no_spreadsheet_takes_a_tenants_name_for_a_formula(tenant: str) -> None:
    [line] = parsed([row(tenant=tenant)])
    assert line["tenant"] == f"'{tenant}"
