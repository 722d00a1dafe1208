"""Price files as people and their tools write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.prices.table import (
    PriceFileError,
    Row,
    decimal_text,
    format_rows,
    keep_comments,
    parse_rows,
    usd_text,
)

COLUMNS = ("name", "value")


def fields(text: str) -> list[list[str]]:
    return [list(row.fields.values()) for row in parse_rows(text, "book", COLUMNS)]


@pytest.mark.parametrize(
    "text",
    [
        "name,value\na,1\n",
        "\ufeffname,value\r\na,1\r\n",
        "# first\n\nname,value\n# note\n\na,1",
    ],
)
def test_byte_order_marks_line_ends_comments_and_blank_lines_do_not_matter(text: str) -> None:
    assert fields(text) == [["a", "1"]]


def test_a_field_keeps_what_other_programs_take_for_the_end_of_a_line() -> None:
    assert fields('name,value\n"a\u2028b\x0bc",1\n') == [["a\u2028b\x0bc", "1"]]


def test_a_quote_that_is_never_closed_is_told_by_its_line() -> None:
    with pytest.raises(PriceFileError, match=r"book line 3: .*end of data; accepted: CSV"):
        fields('name,value\na,1\nb,"2\nc,3\n')


def test_a_line_is_named_after_rows_of_several_lines() -> None:
    with pytest.raises(PriceFileError, match="book line 4: 2 fields expected, found 1"):
        fields('name,value\n"a\nb",1\nc\n')


@given(st.lists(st.tuples(st.text("ab,\"'# \r\n;=é", min_size=1), st.text('ab,"\n'))))
def test_rows_are_read_back_as_written(rows: list[tuple[str, str]]) -> None:
    kept = [(name.strip(), value.strip()) for name, value in rows]
    kept = [row for row in kept if not {"\r", "\n"} & set("".join(row))]
    kept = [row for row in kept if row[0] and not row[0].startswith("#")]
    assert fields(format_rows(COLUMNS, kept)) == [list(row) for row in kept]


def test_spaces_around_fields_are_no_part_of_them() -> None:
    assert fields("name , value\n a, 1 \n") == [["a", "1"]]
    with pytest.raises(PriceFileError, match="here line 2: name is empty"):
        next(parse_rows("name,value\n  ,1\n", "here", COLUMNS)).text("name")


def test_comments_are_kept_even_behind_a_byte_order_mark() -> None:
    assert keep_comments("\ufeff# ours\nname\n# more\n", "name\n") == "# ours\n# more\nname\n"


@given(st.integers(0, 10**24))
def test_amounts_are_read_back_as_written(scaled: int) -> None:
    amount = Fraction(scaled, 10**6)
    row = Row({"usd": usd_text(amount)}, "here")
    assert row.usd("usd", decimals=12) == amount


@pytest.mark.parametrize(
    ("text", "decimals", "accepted"),
    [
        ("0.0000001", 6, "at most six decimals"),
        ("0.0000000000001", 12, "at most twelve decimals"),
        ("-1", 12, r"zero to 10\^12"),
        ("", 6, r"zero to 10\^12"),
        ("1e5000", 6, r"zero to 10\^12"),
    ],
)
def test_an_amount_has_its_bounds(text: str, decimals: int, accepted: str) -> None:
    with pytest.raises(PriceFileError, match=rf"here: usd is '{text}'; accepted: USD.*{accepted}"):
        Row({"usd": text}, "here").usd("usd", decimals=decimals)


@pytest.mark.parametrize("text", ["-1", "1.0", "", "\u0661", "1" * 19, "one"])
def test_a_whole_number_is_digits(text: str) -> None:
    with pytest.raises(PriceFileError, match="accepted: a whole number, 0 or more"):
        Row({"n": text}, "here").whole("n")


def test_more_decimals_than_a_file_has_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 12 decimals"):
        decimal_text(Fraction(1, 3))
