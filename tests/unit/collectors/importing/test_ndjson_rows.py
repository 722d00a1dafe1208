"""NDJSON comes back row by row, each with its line."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.importing.block import Block, Reached
from collectors.importing.errors import InputError
from collectors.importing.ndjson_rows import NdjsonRows
from tests.unit.collectors.importing.files import (
    all_blocks,
    broken,
    content_of,
    good_rows,
    places,
    small_pieces,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SCALAR = st.one_of(st.none(), TEXT, st.integers(0, 2**62))


def blocks_of(data: bytes, *wanted: str, growing: bool = False) -> list[Block]:
    with content_of(data, "log.ndjson") as content:
        return all_blocks(NdjsonRows(content, wanted, len(data), growing=growing))


@settings(deadline=None)
@given(
    st.lists(st.tuples(SCALAR, SCALAR), max_size=30),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
    st.integers(1, 64),
)
def test_what_json_writes_comes_back_with_the_right_lines(
    table: list[tuple[Any, Any]], end: str, bom: bool, piece_bytes: int
) -> None:
    lines = [json.dumps({"a": a, "usage": {"b": b}}) for a, b in table]
    data = b"\xef\xbb\xbf" * bom + "".join(line + end for line in lines).encode()
    if bom and not table:
        data = b""
    with small_pieces(piece_bytes):
        blocks = blocks_of(data, "a", "usage.b")
    assert good_rows(blocks, ["a", "usage.b"]) == table
    assert broken(blocks) == []
    step = end.count("\n")
    expected = {number + 1: f"line {number * step + 1}" for number in range(len(table))}
    assert places(blocks) == expected


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12)), st.integers(1, 64))
def test_whatever_bytes_there_are_every_line_is_one_row(
    lines: list[bytes], piece_bytes: int
) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    data = b" " + b"\n".join(lines) if lines else b""
    rows = sum(1 for line in lines if line.strip())
    with small_pieces(piece_bytes):
        blocks = blocks_of(data, "a")
    assert len(places(blocks)) == rows


def test_decimals_stay_text_and_whole_numbers_numbers() -> None:
    line = b'{"a": 0.1, "b": 1e-3, "c": 12, "d": true, "e": 123456789012345678901234567890}\n'
    blocks = blocks_of(line, "a", "b", "c", "d", "e")
    assert good_rows(blocks, "abcde") == [
        ("0.1", "1e-3", 12, "true", 123456789012345678901234567890)
    ]


def test_a_key_with_dots_is_found_before_a_path() -> None:
    data = b"".join(
        [
            b'{"a.b.c": 1, "a": {"b": {"c": 2}}}\n',
            b'{"a": {"b.c": 3}}\n',
            b'{"a.b": {"c": 4}}\n',
            b'{"a": {"b": {"c": 5}}}\n',
            b'{"a": {"b": 6}}\n',
            b'{"a": null}\n',
        ]
    )
    assert good_rows(blocks_of(data, "a.b.c"), ["a.b.c"]) == [
        (1,),
        (3,),
        (4,),
        (5,),
        (None,),
        (None,),
    ]


def test_lines_that_are_no_objects_are_broken_and_the_others_are_not() -> None:
    deep = b'{"a":' * 5_000
    data = (
        b'{"a":1}\n[]\n{"a"\n{"a":2} {"a":3}\n{"a":"\xff"}\n\n' + deep + b'\n{"a":[4]}\n{"a":5}\n'
    )
    blocks = blocks_of(data, "a")
    assert good_rows(blocks, ["a"]) == [(1,), (5,)]
    reasons = broken(blocks)
    assert [line for line, _ in reasons] == [f"line {n}" for n in (2, 3, 4, 5, 7, 8)]
    assert all(reason.startswith("no JSON object: ") for _, reason in reasons[:-1])
    assert reasons[-1][1] == "a is a list; accepted: text, a number, true, false or null"
    assert blocks[-1].reached == Reached(8, len(data), 9)


def test_of_a_growing_file_a_line_that_is_not_complete_is_left() -> None:
    blocks = blocks_of(b'{"a":1}\n{"a":2}', "a", growing=True)
    assert good_rows(blocks, ["a"]) == [(1,)]


def test_what_is_no_text_is_told() -> None:
    with pytest.raises(InputError, match="is Parquet"):
        blocks_of(b"PAR1xxxx", "a")
