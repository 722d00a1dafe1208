"""Values as text that no reader of a file takes for something else."""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.focus import ascii_name, decimal_text, formula_safe, instant_text, json_text, own_name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3", "3.0"),
        ("3.000000", "3.0"),
        ("0.250000", "0.25"),
        ("1E+3", "1000.0"),
        ("1E-12", "0.000000000001"),
        ("-0", "0.0"),
        ("0E-12", "0.0"),
        ("-1.25", "-1.25"),
        ("100", "100.0"),
    ],
)
def test_a_decimal_has_a_point_and_no_exponent(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@given(st.integers(-(10**27), 10**27), st.integers(0, 12))
def test_a_decimal_is_exact_whatever_its_size(digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places)
    text = decimal_text(value)
    assert Decimal(text) == value
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]{1,12}", text)


def test_an_instant_is_utc_to_the_second() -> None:
    assert instant_text(1_793_491_200_000_000) == "2026-11-01T00:00:00Z"
    with pytest.raises(ValueError, match="no whole second"):
        instant_text(1)


def test_tags_are_ascii_whatever_a_name_is_and_the_same_every_time() -> None:
    text = json_text({"team": "Z\u00fcrich", "app": 'a"b'})
    assert text == r'{"app":"a\"b","team":"Z\u00fcrich"}'
    assert json.loads(text) == {"team": "Z\u00fcrich", "app": 'a"b'}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("eu-central-1", "eu-central-1"),
        ("Z\u00fcrich", r"Z\xfcrich"),
        ("1", "region 1"),
        ("1e5", "region 1e5"),
        ("2026-11-01", "region 2026-11-01"),
        ("inf", "region inf"),
        ("null", "region null"),
        ("N/A", "region N/A"),
        ("true", "region true"),
        (" padded ", "padded"),
        ("", "region"),
        ("a\nb", r"a\nb"),
    ],
)
def test_a_name_of_focus_is_ascii_and_looks_like_no_other_type(name: str, text: str) -> None:
    assert ascii_name(name, "region") == text


@given(st.text(max_size=20))
def test_any_name_becomes_a_plain_one(name: str) -> None:
    found = ascii_name(name, "tenant")
    assert found.isascii()
    assert found == found.strip()
    assert found.isprintable()
    assert any(c.isalpha() for c in found)
    assert ascii_name(found, "tenant") == found


@given(st.text(min_size=1, max_size=20))
def test_a_name_in_a_column_of_ours_can_be_had_back(name: str) -> None:
    found = own_name(name)
    assert found == found.strip()
    assert (json.loads(found) if found[0] == '"' else found) == name
    assert "\n" not in found
    assert "\0" not in found


def test_a_name_in_a_column_of_ours_stays_where_nothing_takes_it_for_something_else() -> None:
    assert [own_name(name) for name in ("Z\u00fcrich", "1", "=a", "shop")] == [
        "Z\u00fcrich", "1", "=a", "shop"
    ]  # fmt: skip
    assert own_name("NULL") == '"NULL"'
    assert own_name(" shop") == '" shop"'


@pytest.mark.parametrize("begin", [*"=+-@\t\r\n\0", *map(chr, (0xFF1D, 0xFF0B, 0xFF0D, 0xFF20))])
def test_what_begins_a_formula_gets_a_quote_before_it(begin: str) -> None:
    assert formula_safe(f"{begin}cmd|'/c calc'!A0") == f"'{begin}cmd|'/c calc'!A0"
    assert formula_safe(f"a{begin}b") == f"a{begin}b"
