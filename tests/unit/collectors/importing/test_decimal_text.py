"""Decimals in text become whole numbers exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.importing.decimal_text import scaled

DIGITS = st.text("0123456789", max_size=20)


@given(DIGITS, DIGITS, st.integers(-30, 30), st.integers(-6, 6))
def test_a_decimal_is_scaled_as_a_fraction_would_be(
    whole: str, fraction: str, exponent: int, power: int
) -> None:
    for text in (f"{whole}.{fraction}", f"{whole}.{fraction}e{exponent}", f"{whole}{fraction}"):
        if not (whole + fraction):
            continue
        exact = Fraction(text) * Fraction(10) ** power
        assert scaled(text, power, "down") == exact.__floor__()
        assert scaled(text, power, "half_up") == (exact + Fraction(1, 2)).__floor__()
        if exact.denominator == 1:
            assert scaled(text, power, "exact") == exact
        else:
            with pytest.raises(ValueError, match="not whole"):
                scaled(text, power, "exact")


@pytest.mark.parametrize(
    ("text", "power", "expected"),
    [("0.0000005", 6, 1), ("0.00000049", 6, 0), ("1.5", 0, 2), ("2.5", 0, 3), ("1499", -3, 1)],
)
def test_halves_are_rounded_up(text: str, power: int, expected: int) -> None:
    assert scaled(text, power, "half_up") == expected


@pytest.mark.parametrize(
    "text",
    ["", ".", "-1", "+1", " 1", "1 ", "1_000", "1,5", "0x1", "nan", "inf", "\u0661", "1e", "1e1.5",
     "e5", "1.2.3", "1e9999", "1" * 65, "1\n", "\ud800"],
)  # fmt: skip
def test_what_is_no_unsigned_decimal_of_some_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no unsigned decimal"):
        scaled(text, 6, "down")


@given(st.text())
def test_no_text_makes_trouble(text: str) -> None:
    try:
        assert scaled(text, 3, "down") >= 0
    except ValueError as error:
        assert "unsigned decimal" in str(error)
