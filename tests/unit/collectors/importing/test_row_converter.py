"""Every row becomes one valid record, or is rejected with the reason; never both, never neither."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collectors.importing.block import Block, Reached, RejectedRow, RowPlace
from collectors.importing.cell import Cell
from collectors.importing.import_map import ImportMap, read_map
from collectors.importing.row_converter import RowConverter
from collectors.importing.source import Source
from usage import UsageRecord, decode_line, encode_line

SOURCE = Source("log", "0" * 32, 99, "0" * 32)
TIME: dict[str, Any] = {"column": "t", "format": "rfc3339"}
NOON = "2023-11-15T12:00:00Z"
NOON_US = 1_700_049_600_000_000


def converted(
    tables: dict[str, Any], **cells: Cell | list[Cell]
) -> tuple[list[UsageRecord], list[RejectedRow]]:
    import_map = read_map(None, {"time": TIME, **tables})
    columns = {name: cell if isinstance(cell, list) else [cell] for name, cell in cells.items()}
    count = max(map(len, columns.values()))
    columns.setdefault("t", [NOON] * count)
    return RowConverter(import_map, SOURCE).split(block(import_map, columns, count), 0)


def block(import_map: ImportMap, columns: dict[str, list[Cell]], count: int) -> Block:
    cells = {name: columns[name] for name in import_map.wanted}
    numbers = range(1, count + 1)
    return Block(cells, numbers, lambda index: place(numbers[index]), [], Reached(count))


def place(number: int) -> RowPlace:
    return RowPlace(number, f"line {number + 1}", 0, b"")


def record_of(tables: dict[str, Any], **cells: Cell) -> UsageRecord:
    [record], rejected = converted(tables, **cells)
    assert rejected == []
    return record


def reason_of(tables: dict[str, Any], **cells: Cell) -> str:
    records, [rejected] = converted(tables, **cells)
    assert records == []
    return rejected.reason


def test_what_a_log_does_not_tell_has_sound_defaults() -> None:
    record = record_of({}, t=NOON)
    assert json.loads(encode_line(record)) == {
        "kind": "usage_record",
        "schema": 1,
        "record_id": SOURCE.record_ids([1])[0],
        "node_id": "import-log",
        "boot_id": SOURCE.boot_id,
        "seq": 1,
        "origin": "live",
        "model": None,
        "model_version": None,
        "variant": None,
        "tenant": "unknown",
        "labels": {},
        "priority": "normal",
        "pool": "cpu",
        "worker": None,
        "arrived_at_us": NOON_US,
        "queue_us": 0,
        "compute_us": 0,
        "total_us": 0,
        "batch_id": None,
        "batch_size": 0,
        "cache": "bypass",
        "input_digest": None,
        "request_bytes": 0,
        "response_bytes": 0,
        "items": 1,
        "input_tokens": None,
        "output_tokens": None,
        "client_region": None,
        "status": 200,
        "error": None,
        "route": "direct",
        "parent_id": None,
    }


TOTAL = {"columns": {"total_us": "d"}, "units": {"total_us": "s"}}


@pytest.mark.parametrize(
    ("unit", "cell", "expected"),
    [
        ("s", "1.2345675", 1_234_568),
        ("s", "0.0000004", 0),
        ("s", "3", 3_000_000),
        ("ms", "0.0005", 1),
        ("ms", "1e-3", 1),
        ("us", 17, 17),
        ("us", "16.5", 17),
        ("ns", 1_499, 1),
        ("ns", "1500", 2),
    ],
)
def test_durations_are_exact_and_halves_are_rounded_up(
    unit: str, cell: Cell, expected: int
) -> None:
    tables = {"columns": {"total_us": "d"}, "units": {"total_us": unit}}
    assert record_of(tables, d=cell).total_us == expected


def test_without_a_total_it_is_the_sum_of_what_there_is() -> None:
    tables = {
        "columns": {"queue_us": "q", "compute_us": "c"},
        "units": {"queue_us": "us", "compute_us": "ms"},
    }
    record = record_of(tables, q="5", c="2")
    assert (record.queue_us, record.compute_us, record.total_us) == (5, 2_000, 2_005)


def test_what_was_executed_was_a_batch_of_its_items_unless_the_log_says_otherwise() -> None:
    tables: dict[str, Any] = {
        "columns": {"compute_us": "c", "items": "i"},
        "units": {"compute_us": "us"},
    }
    assert record_of(tables, c="9", i="3").batch_size == 3
    assert record_of(tables, c="0", i="3").batch_size == 0
    tables["columns"]["batch_size"] = "b"
    assert record_of(tables, c="9", i="3", b="8").batch_size == 8
    assert reason_of(tables, c="9", i="3", b="2") == (
        "batch_size is 2; accepted: at least items, 3, where compute_us is above 0"
    )


def test_a_time_that_marks_the_end_is_set_back_by_the_total() -> None:
    record = record_of({**TOTAL, "time": {**TIME, "marks": "end"}}, d="1.5")
    assert record.arrived_at_us == NOON_US - 1_500_000


def test_cells_with_nothing_in_them_are_null_or_the_constant_of_the_map() -> None:
    tables: dict[str, Any] = {
        "empty": ["", "-"],
        "columns": {"model": "m", "tenant": "n", "input_tokens": "i"},
    }
    for nothing in (None, "", "-"):
        record = record_of(
            {**tables, "constants": {"tenant": "us"}}, m=nothing, n=nothing, i=nothing
        )
        assert (record.model, record.tenant, record.input_tokens) == (None, "us", None)
        assert reason_of(tables, m="x", n=nothing, i="1") == (
            "tenant is missing; accepted: text of 1 to 128 characters; "
            "a constant in the map stands for empty cells"
        )


def test_values_are_replaced_before_they_are_read() -> None:
    tables = {
        "columns": {"cache": "c", "status": "s"},
        "values": {"cache": {"HIT": "memory", "MISS": "miss"}, "status": {"0": 499}},
    }
    record = record_of(tables, c="HIT", s=0)
    assert (record.cache, record.status) == ("memory", 499)
    assert reason_of(tables, c="STALE", s=0) == (
        "cache is 'STALE'; accepted: bypass, coalesced, disk, memory, miss, redis"
    )


def test_labels_come_from_columns_and_empty_ones_are_left_out() -> None:
    tables = {"labels": {"team": "a", "app": "b"}}
    records, rejected = converted(
        tables, a=["x", "", "x", "y" * 129, "z"], b=[None, None, "2", "3", "\0"]
    )
    assert [record.labels for record in records] == [{"team": "x"}, {}, {"team": "x", "app": "2"}]
    assert [row.reason for row in rejected] == [
        f"labels.team is '{'y' * 100}'...; accepted: text of at most 128 characters",
        "labels.app is '\\x00'; accepted: text of at most 128 characters",
    ]


@pytest.mark.parametrize("cell", ["12.0", "12", "012", "1.2e1", 12])
def test_whole_numbers_may_be_written_in_several_ways(cell: Cell) -> None:
    assert record_of({"columns": {"input_tokens": "i"}}, i=cell).input_tokens == 12


@pytest.mark.parametrize(
    "cell", ["12.5", "-1", " 1", "1_0", "\u0663", "x", 2**50, -1, "\udcff", "9" * 99]
)
def test_what_is_no_whole_number_is_rejected(cell: Cell) -> None:
    reason = reason_of({"columns": {"input_tokens": "i"}}, i=cell)
    assert reason.startswith("input_tokens is ")
    assert reason.endswith("; accepted: a whole number from 0 to 281474976710656")
    assert reason.isascii()


@pytest.mark.parametrize("cell", ["\udcff", "a\0b", "x" * 129])
def test_a_name_that_is_no_text_or_too_long_is_rejected(cell: Cell) -> None:
    assert reason_of({"columns": {"tenant": "n"}}, n=cell).startswith("tenant is ")


def test_an_instant_outside_of_this_century_is_rejected() -> None:
    assert "a whole number from 946684800000000" in reason_of({}, t="1999-12-31T23:59:59Z")


FULL: dict[str, Any] = {
    "empty": ["", "-"],
    "columns": {
        "model": "m", "tenant": "n", "total_us": "d", "compute_us": "c", "input_tokens": "i",
        "status": "s", "items": "k", "batch_size": "b", "cache": "h",
    },
    "units": {"total_us": "ms", "compute_us": "us"},
    "labels": {"team": "l"},
}  # fmt: skip
ODD: st.SearchStrategy[Cell] = st.one_of(
    st.none(), st.sampled_from(["", "-", "\0", "\udcff", "1e3", "0.5"]), st.text(max_size=5),
    st.integers(-(2**70), 2**70),
)  # fmt: skip


def mostly(*usual: Cell) -> st.SearchStrategy[Cell]:
    return st.one_of(*[st.sampled_from(usual)] * 9, ODD)


ROW = st.fixed_dictionaries(
    {
        "t": mostly(NOON, "2023-11-15 12:00:00.5+01:00"),
        "m": mostly("gpt", None),
        "n": mostly("shop", "search"),
        "d": mostly("1.25", "3"),
        "c": mostly("0", 7),
        "i": mostly("12", None),
        "s": mostly("200", 503),
        "k": mostly("1", "4"),
        "b": mostly("4", "8"),
        "h": mostly("miss", "memory"),
        "l": mostly("x", "y", None),
    }
)


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40))
def test_every_row_is_stored_or_rejected_and_alike_alone_and_among_others(
    rows: list[dict[str, Cell]],
) -> None:
    import_map = read_map(None, {"time": TIME, **FULL})
    converter = RowConverter(import_map, SOURCE)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    records, rejected = converter.split(block(import_map, columns, len(rows)), 70)
    assert [record.seq for record in records] == list(range(71, 71 + len(records)))
    stored = {record.record_id: record for record in records}
    assert list(stored) == sorted(stored), "in the order of the rows"
    reasons = {row.place.number: row.reason for row in rejected}
    for number, row in enumerate(rows, 1):
        alone = block(import_map, {name: [cell] for name, cell in row.items()}, 1)
        found, refused = converter.split(alone, 0)
        [record_id] = SOURCE.record_ids([number])
        if record_id in stored:
            record = stored.pop(record_id)
            assert decode_line(encode_line(record)) == record
            [only] = found
            assert replace(only, seq=record.seq, record_id=record_id) == record
        else:
            reason = reasons.pop(number)
            assert [one.reason for one in refused] == [reason]
            assert reason.isascii()
    assert not stored
    assert not reasons


def test_ids_of_rows_are_always_the_same_and_of_no_other_row() -> None:
    other = Source("log", "0" * 32, 100, "0" * 32)
    ids = SOURCE.record_ids(range(1, 1_000)) + other.record_ids(range(1, 1_000))
    assert len(set(ids)) == len(ids)
    assert SOURCE.record_ids([7]) == SOURCE.record_ids(range(7, 8))
