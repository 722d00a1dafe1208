"""Amounts as they are spelled: what is shown beside each other adds up as it is shown."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD, Ticks
from reports.weekly.amount import signed, spell_exact, spell_sum, spell_ticks, spell_usd


def read(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def test_a_change_has_its_sign() -> None:
    texts, _ = spell_sum([Fraction("1234.5") * TICKS_PER_USD, -Fraction(TICKS_PER_USD, 8)])
    assert [signed(text) for text in texts] == ["+1,234.50", "\N{MINUS SIGN}0.12"]


def test_what_is_not_known_is_a_dash() -> None:
    assert spell_ticks(None) == spell_usd(None) == "\N{EN DASH}"


def test_parts_have_the_decimals_that_the_largest_needs() -> None:
    cents = Fraction(TICKS_PER_USD, 100)
    assert spell_sum([100 * cents, -cents]) == (["1.00", "\N{MINUS SIGN}0.01"], "0.99")
    assert spell_sum([cents, cents / 1000]) == (["0.0100", "0.0000"], "0.0100")
    assert spell_sum([]) == ([], "0")


def test_an_exact_amount_shows_twelve_decimals() -> None:
    assert spell_exact(Fraction(TICKS_PER_USD, 3) + 1000 * TICKS_PER_USD) == "1,000.333333333333"


ticks = st.integers(-(10**22), 10**22) | st.fractions(-(10**18), 10**18)


@given(st.lists(ticks, min_size=1, max_size=8))
def test_parts_as_they_are_shown_add_up_to_the_whole_as_it_is_rounded(parts: list[Ticks]) -> None:
    texts, total = spell_sum(parts)
    shown = [read(text) for text in texts]
    exact = sum(parts, Fraction(0)) / TICKS_PER_USD
    [places] = {-int(amount.as_tuple().exponent) for amount in shown}
    assert sum(shown, Decimal(0)) == read(total)
    assert Fraction(read(total)) == round(exact * 10**places) / Fraction(10**places)
    for amount, part in zip(shown, parts, strict=True):
        assert abs(Fraction(amount) - Fraction(part) / TICKS_PER_USD) < Fraction(1, 10**places)
