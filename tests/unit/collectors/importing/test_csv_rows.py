"""CSV comes back row by row, each with the line of the file on which it begins."""

import csv
import io
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.importing.block import Block, Reached
from collectors.importing.content import Content
from collectors.importing.csv_rows import CsvRows
from collectors.importing.errors import InputError
from collectors.importing.import_map import CsvMap
from tests.unit.collectors.importing.files import (
    all_blocks,
    broken,
    content_of,
    good_rows,
    places,
    small_pieces,
)

ANY = st.text(st.characters(codec="utf-8"), max_size=8)
TRICKY = st.text('ab,;"\n\r\t\0é\u2028 ', max_size=8)
CELL = st.one_of(ANY, TRICKY)
HEADER = ["a", "b", "c"]


def rows_of(content: Content, *wanted: str, growing: bool = False, **csv_map: Any) -> CsvRows:
    size = content.path.stat().st_size
    return CsvRows(content, wanted, CsvMap(**csv_map), size, growing=growing)


def blocks_of(data: bytes, *wanted: str, **csv_map: Any) -> list[Block]:
    with content_of(data) as content:
        return all_blocks(rows_of(content, *wanted, **csv_map))


@settings(deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=30),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
    st.integers(1, 64),
)
def test_any_csv_that_the_csv_module_writes_comes_back_with_the_right_lines(
    table: list[list[str]],
    end: str,
    delimiter: str,
    quoting: Literal[0, 1],
    bom: bool,
    piece_bytes: int,
) -> None:
    if end == "\n" and quoting == csv.QUOTE_MINIMAL:
        # It writes a carriage return without quotes then, which reads as part of the line end.
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting)
    lines = {}
    for number, row in enumerate([HEADER, *table]):
        lines[number] = f"line {written.getvalue().count(chr(10)) + 1}"
        writer.writerow(row)
    del lines[0]
    data = b"\xef\xbb\xbf" * bom + written.getvalue().encode()
    with small_pieces(piece_bytes):
        blocks = blocks_of(data, *HEADER, delimiter=delimiter)
    assert good_rows(blocks, HEADER) == [tuple(row) for row in table]
    assert broken(blocks) == []
    assert places(blocks) == lines
    if blocks:
        newlines = data.count(b"\n")
        assert blocks[-1].reached == Reached(len(table), len(data), newlines)


@settings(deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=20).map(
        lambda table: "\n".join('"'.join(row) for row in table)
    ),
    st.integers(1, 64),
)
def test_whatever_follows_the_header_every_line_is_of_one_row_and_reading_can_go_on_anywhere(
    rubbish: str, piece_bytes: int
) -> None:
    data = b"a,b,c\n" + rubbish.encode()
    with small_pieces(piece_bytes, 96), content_of(data) as content:
        rows = rows_of(content, *HEADER)
        blocks = all_blocks(rows)
        found = places(blocks)
        assert sorted(found) == list(range(1, len(found) + 1))
        if blocks:
            assert blocks[-1].reached.offset == len(data)
            assert blocks[-1].reached.rows == len(found)
        texts = sorted(
            (place.number, place.text, place.offset)
            for block in blocks
            for place in [
                *(block.place(index) for index in range(len(block.numbers))),
                *(row.place for row in block.broken),
            ]
        )
        for _, text, offset in texts:
            assert data[offset:].startswith(text)
        # What is in no row are line ends of blank lines.
        left = len(data) - len(b"a,b,c\n") - sum(len(text) for _, text, _ in texts)
        assert 0 <= left <= rubbish.count("\n") + rubbish.count("\r") + 1
        for number, block in enumerate(blocks[:-1]):
            rest = all_blocks(rows, block.reached)
            assert good_rows(rest, HEADER) == good_rows(blocks[number + 1 :], HEADER)
            assert broken(rest) == broken(blocks[number + 1 :])


def test_only_the_wanted_columns_are_given_whatever_their_order() -> None:
    blocks = blocks_of(b"a,b,c\n1,2,3\n", "c", "a")
    assert good_rows(blocks, ["c", "a"]) == [("3", "1")]
    assert list(blocks[0].cells) == ["c", "a"]


def test_a_row_of_another_width_is_broken_and_the_others_are_not() -> None:
    blocks = blocks_of(b'a,b\n1,2\n1\n1,2,3\n\n3,"x\ny"\n"x\ny"\n4,5\n', "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("1", "2"), ("3", "x\ny"), ("4", "5")]
    assert broken(blocks) == [
        ("line 3", "1 cells; accepted: 2, as the header has"),
        ("line 4", "3 cells; accepted: 2, as the header has"),
        ("line 8", "1 cells; accepted: 2, as the header has"),
    ]
    assert places(blocks)[6] == "line 10"
    assert blocks[-1].broken[-1].place.text == b'"x\ny"\n'


def test_a_stray_quote_costs_its_own_line_and_no_other() -> None:
    data = b'a,b\n1,"two\n3,4\n5,"six"\n7,8\n"9"x,9\n10,11\n12,"thirteen'
    blocks = blocks_of(data, "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("3", "4"), ("5", "six"), ("7", "8"), ("10", "11")]
    assert broken(blocks) == [
        ("line 2", "no CSV: ',' expected after '\"'"),
        ("line 6", "no CSV: ',' expected after '\"'"),
        ("line 8", "a quote that is never closed"),
    ]


def test_a_quote_that_is_never_closed_is_given_up_after_some_bytes() -> None:
    data = b'a,b\n1,"two\n' + b"3,4\n" * 500 + b'"5,6\n' + b"7,8\n" * 500
    with small_pieces(50, 400):
        blocks = blocks_of(data, "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("3", "4")] * 500 + [("7", "8")] * 500
    assert broken(blocks) == [
        ("line 2", "a quote that is never closed"),
        ("line 503", "a quote that is never closed"),
    ]


def test_a_cell_may_have_many_lines() -> None:
    cell = "\n".join(str(number) for number in range(1_000))
    with small_pieces(100):
        blocks = blocks_of(f'a,b\n1,"{cell}"\n2,3\n'.encode(), "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("1", cell), ("2", "3")]
    assert places(blocks) == {1: "line 2", 2: "line 1002"}


def test_a_huge_cell_is_told_and_passed_over() -> None:
    data = b"a,b\n1,2\n3," + b"x" * 5_000 + b"\n5,6\n"
    with small_pieces(100, 1_000):
        blocks = blocks_of(data, "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("1", "2"), ("5", "6")]
    assert broken(blocks) == [("line 3", "longer than 1000 bytes")]
    assert places(blocks)[3] == "line 4"


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["1,2", 'x,"y', '"', '","', '""', "é" * 9, "1," + "z" * 20]), max_size=40
    ),
    st.integers(1, 32),
    st.integers(1, 32),
)
def test_what_is_read_does_not_depend_on_how_much_is_read_at_a_time(
    lines: list[str], piece_bytes: int, other_bytes: int
) -> None:
    data = ("a,b\n" + "\n".join(lines)).encode()
    found = []
    for size in (piece_bytes, other_bytes):
        with small_pieces(size, 40):
            blocks = blocks_of(data, "a", "b")
            found.append((good_rows(blocks, ["a", "b"]), broken(blocks), places(blocks)))
    assert found[0] == found[1]


def test_without_a_quote_character_quotes_are_text() -> None:
    blocks = blocks_of(b'a\tb\n"1\t2"\n', "a", "b", delimiter="\t", quote="")
    assert good_rows(blocks, ["a", "b"]) == [('"1', '2"')]


def test_the_map_can_name_the_columns_of_a_file_without_header() -> None:
    for bom in (b"", b"\xef\xbb\xbf"):
        blocks = blocks_of(bom + b"1,2\n3,4\n", "y", header=["x", "y"])
        assert good_rows(blocks, ["y"]) == [("2",), ("4",)]
        assert places(blocks) == {1: "line 1", 2: "line 2"}


def test_text_that_is_no_utf_8_is_kept_where_it_is() -> None:
    blocks = blocks_of(b"a,b\n1,\xff\n2,x\n", "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("1", "\udcff"), ("2", "x")]


def test_a_carriage_return_alone_is_no_line_end() -> None:
    blocks = blocks_of(b'a,b\n1,2\r3,4\n5,"\r"\n', "a", "b")
    assert good_rows(blocks, ["a", "b"]) == [("5", "\r")]
    assert broken(blocks) == [("line 2", "a carriage return within an unquoted cell")]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"a,b\n", b"a,b", b"a,b\r\n\r\n"])
def test_a_file_without_rows_has_none(data: bytes) -> None:
    assert places(blocks_of(data, "a", "b")) == {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x,y\n1,2\n", "the header has no 'a', which the map names; it has: 'x', 'y'"),
        (b"a,b,a\n1,2,3\n", "the header has 'a' 2 times; accepted: once"),
        (b'"a,b\n1,2\n', "line 1: no header of CSV"),
        (b"PAR1....", "is Parquet; accepted: --format parquet"),
        (b"\x1f\x8b..", "packed by gzip; accepted: such a file with a name that ends in .gz"),
        (b"\xff\xfea\0", "UTF-16; accepted: UTF-8"),
        (b"\xff\xff,b\n", r"the header has no 'a', which the map names; it has: '\\udcff\\udcff'"),
        (b"a,b" + b"x" * 2**22, "line 1: a header longer than 4194304 bytes"),
    ],
)
def test_a_header_that_does_not_fit_is_told_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        blocks_of(data, "a", "b")


def test_a_column_that_is_not_wanted_may_stand_there_twice() -> None:
    assert good_rows(blocks_of(b"a,x,x\n1,2,3\n", "a"), ["a"]) == [("1",)]


def test_of_a_growing_file_a_row_that_is_not_complete_is_left() -> None:
    for torn in (b"3,4", b'3,"4\n', b'3,"4\n5,6\n7'):
        with content_of(b"a,b\n1,2\n" + torn) as content:
            blocks = all_blocks(rows_of(content, "a", "b", growing=True))
            assert good_rows(blocks, ["a", "b"]) == [("1", "2")]
            assert blocks[-1].reached == Reached(1, 8, 2)


def test_what_was_added_to_a_row_that_was_read_before_is_broken() -> None:
    with content_of(b"a,b\n1,23\n4,5\n") as content:
        rows = rows_of(content, "a", "b")
        blocks = all_blocks(rows, Reached(1, 7, 2))
        assert good_rows(blocks, ["a", "b"]) == [("4", "5")]
        [(_, reason)] = broken(blocks)
        assert reason == "the rest of a line that was imported before it was complete"
    with content_of(b"a,b\n1,2\n4,5\n") as content:
        blocks = all_blocks(rows_of(content, "a", "b"), Reached(1, 7, 2))
        assert (good_rows(blocks, ["a", "b"]), broken(blocks)) == ([("4", "5")], [])


def test_a_file_that_becomes_shorter_while_it_is_read_is_told() -> None:
    with content_of(b"a,b\n1,2\n") as content:
        rows = CsvRows(content, ["a"], CsvMap(), 100)
        with pytest.raises(InputError, match="became shorter while it was read"):
            all_blocks(rows)


def test_of_a_file_that_grew_in_its_header_meanwhile_nothing_is_read() -> None:
    with content_of(b"a,b\n1,2\n") as content:
        assert all_blocks(CsvRows(content, ["a"], CsvMap(), 2)) == []
