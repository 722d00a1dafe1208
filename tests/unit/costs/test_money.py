"""Ticks become decimals only at the end, and the decimals add up."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD, split_usd, to_usd

TICKS = st.one_of(
    st.integers(-(10**24), 10**24),
    st.fractions(min_value=-(10**18), max_value=10**18, max_denominator=10**6),
)


def test_one_hour_at_one_dollar_is_one_dollar() -> None:
    assert TICKS_PER_USD == 1_000_000 * 3_600_000_000
    assert to_usd(1_000_000 * 3_600_000_000) == Decimal("1.000000000000")


def test_a_tick_is_visible_at_sixteen_places() -> None:
    assert to_usd(9, places=16) == Decimal("25E-16")


@given(ticks=TICKS, places=st.integers(0, 16))
def test_rounding_is_never_off_by_more_than_half_a_unit(ticks: Fraction, places: int) -> None:
    error = Fraction(to_usd(ticks, places)) - Fraction(ticks, TICKS_PER_USD)
    assert abs(error) <= Fraction(1, 2 * 10**places)


@given(parts=st.lists(TICKS, max_size=30), places=st.integers(0, 12))
def test_split_parts_sum_to_the_rounded_whole_and_are_each_off_by_less_than_a_unit(
    parts: list[int | Fraction], places: int
) -> None:
    split = split_usd(parts, places)
    whole = sum((Fraction(part) for part in parts), Fraction(0))
    assert sum(map(Fraction, split)) == Fraction(to_usd(whole, places))
    for part, usd in zip(parts, split, strict=True):
        assert abs(Fraction(usd) - Fraction(part) / TICKS_PER_USD) < Fraction(1, 10**places)
