"""Amounts as they are spelled: what is shown beside each other adds up as it is shown."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD, Ticks
from reports.weekly.amount import spell_change, spell_exact, spell_sum, spell_ticks, spell_usd


def read(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize(
    ("usd", "text"),
    [("1234.5", "+1,234.50"), ("-0.125", "\N{MINUS SIGN}0.1250"), ("0", "0")],
)
def test_a_change_has_its_sign(usd: str, text: str) -> None:
    assert spell_change(Fraction(usd) * TICKS_PER_USD) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert spell_ticks(None) == spell_usd(None) == "\N{EN DASH}"


def test_parts_have_the_decimals_that_the_largest_needs() -> None:
    cents = Fraction(TICKS_PER_USD, 100)
    assert spell_sum([100 * cents, -cents]) == ["1.00", "\N{MINUS SIGN}0.01"]
    assert spell_sum([cents, cents / 1000]) == ["0.0100", "0.0000"]
    assert spell_sum([]) == []


def test_an_exact_amount_shows_twelve_decimals() -> None:
    assert spell_exact(Fraction(TICKS_PER_USD, 3) + 1000 * TICKS_PER_USD) == "1,000.333333333333"


ticks = st.integers(-(10**22), 10**22) | st.fractions(-(10**18), 10**18)


@given(st.lists(ticks, min_size=1, max_size=8))
def test_parts_as_they_are_shown_add_up_to_the_whole_as_it_is_rounded(parts: list[Ticks]) -> None:
    shown = [read(text) for text in spell_sum(parts)]
    exact = sum(parts, Fraction(0)) / TICKS_PER_USD
    [places] = {-int(amount.as_tuple().exponent) for amount in shown}
    assert Fraction(sum(shown, Decimal(0))) == round(exact * 10**places) / Fraction(10**places)
    for amount, part in zip(shown, parts, strict=True):
        assert abs(Fraction(amount) - Fraction(part) / TICKS_PER_USD) < Fraction(1, 10**places)
