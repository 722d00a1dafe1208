"""Parquet comes back row by row, from any row on."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.importing.block import Block, Reached
from collectors.importing.content import Content
from collectors.importing.errors import InputError
from collectors.importing.parquet_rows import BLOCK_ROWS, ParquetRows
from tests.unit.collectors.importing.files import all_blocks, good_rows, places

NOON = datetime(2023, 11, 15, 12, 0, 0, 123456, tzinfo=UTC)


def blocks_of(path: Path, table: Any, *wanted: str, group: int = 1_000) -> list[Block]:
    pq.write_table(table, path, row_group_size=group)
    return all_blocks(ParquetRows(Content(path), wanted))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.parquet"


def test_every_kind_of_value_comes_back_as_text_or_whole_number(path: Path) -> None:
    table = pa.table(
        {
            "text": ["x", None],
            "word": pa.array(["y", None]).dictionary_encode(),
            "whole": pa.array([2**63 - 1, None], pa.int64()),
            "real": pa.array([0.1, None], pa.float64()),
            "decimal": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "truth": [True, None],
            "nothing": pa.nulls(2),
            "utc": pa.array([NOON, None], pa.timestamp("ns", "UTC")),
            "berlin": pa.array([NOON, None], pa.timestamp("us", "Europe/Berlin")),
            "local": pa.array([NOON.replace(tzinfo=None), None], pa.timestamp("ms")),
        }
    )
    assert good_rows(blocks_of(path, table, *table.column_names), table.column_names) == [
        ("x", "y", 2**63 - 1, "0.1", "1.50", "true", None, "2023-11-15 12:00:00.123456000Z",
         "2023-11-15 12:00:00.123456Z", "2023-11-15 12:00:00.123"),
        (None,) * 10,
    ]  # fmt: skip


def test_columns_within_structs_are_found_by_their_path(path: Path) -> None:
    table = pa.table(
        {"usage": [{"tokens": {"in": 1, "out": 2}}, None], "usage.b": [3, 4], "c": [5, 6]}
    )
    found = good_rows(
        blocks_of(path, table, "usage.tokens.in", "usage.b", "c"),
        ["usage.tokens.in", "usage.b", "c"],
    )
    assert found == [(1, 3, 5), (None, 4, 6)]


def test_reading_goes_on_behind_any_row(path: Path) -> None:
    count = 3 * BLOCK_ROWS
    pq.write_table(pa.table({"a": list(range(count))}), path, row_group_size=5_000)
    rows = ParquetRows(Content(path), ["a"])
    assert rows.extent == count
    for start in (0, 1, 4_096, 5_000, 5_001, 10_000, count - 1, count):
        blocks = all_blocks(rows, Reached(start, start, start))
        assert good_rows(blocks, ["a"]) == [(number,) for number in range(start, count)]
        assert list(places(blocks)) == list(range(start + 1, count + 1))
        assert all(block.place(0).called == f"row {block.numbers[0]}" for block in blocks)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("b", "has no 'b', which the map names; it has: 'a', 's'"),
        ("s.x", "has no 's.x', which the map names; it has: 'in'"),
        ("a.x", "'a' is int64; accepted in 'a.x': a struct"),
        ("s", "'s' is struct.* accepted: numbers, text, booleans, timestamps"),
    ],
)
def test_a_column_that_cannot_be_read_is_told(path: Path, wanted: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        blocks_of(path, pa.table({"a": [1], "s": [{"in": 1}]}), wanted)


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"PAR1", b"PAR1" * 20])
def test_what_is_no_parquet_is_told_in_one_line(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"log\.parquet: cannot be read as Parquet: ") as told:
        ParquetRows(Content(path), ["a"])
    assert "\n" not in str(told.value)


def test_a_damaged_page_is_told(path: Path) -> None:
    pq.write_table(pa.table({"a": [str(n) * 9 for n in range(9_999)]}), path, compression="gzip")
    data = bytearray(path.read_bytes())
    data[100:4_000] = bytes(3_900)
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        all_blocks(ParquetRows(Content(path), ["a"]))
