"""An hour, a month and a term are different types: nothing mixes them up."""

from fractions import Fraction

import pytest

from costs.prices.units import GB, GIB, PerHour, PerMonth, PerTerm, exact, micro_usd


def test_a_price_for_a_whole_term_is_spread_over_its_hours() -> None:
    # 876 USD for a year of 8,760 hours is 0.10 USD an hour; the same for three years a third of it.
    year, three = PerTerm(micro_usd("876"), 1), PerTerm(micro_usd("876"), 3)
    assert year.per_hour() == PerHour(Fraction(100_000))
    assert three.per_hour() == PerHour(Fraction(100_000, 3))


def test_an_hour_is_rounded_half_to_even_to_whole_micro_usd() -> None:
    halves = [PerHour(Fraction(n, 2)).whole() for n in (1, 3, 5)]
    assert halves == [0, 2, 2]
    assert PerHour(Fraction(100_000, 3)).whole() == 33_333


@pytest.mark.parametrize("other", [PerMonth(Fraction(1)), PerTerm(Fraction(1), 1)])
def test_an_hour_and_something_else_are_neither_added_nor_compared(other: object) -> None:
    hour = PerHour(Fraction(1))
    with pytest.raises(TypeError):
        hour + other  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert hour < other  # type: ignore[operator]
    assert hour != other


def test_a_month_becomes_no_hour() -> None:
    assert not hasattr(PerMonth(Fraction(1)), "per_hour")


def test_a_gib_is_more_than_a_gb() -> None:
    assert (GB, GIB) == (1_000_000_000, 1_073_741_824)


@pytest.mark.parametrize(
    "text", ["-0.1", "nan", "sNaN", "inf", "-Infinity", "", "1e", "1,5", "0x1", "1_0", "\u0661"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"accepted: zero to 10\^12"):
        micro_usd(text)


@pytest.mark.parametrize("text", ["1000000000000.1", "1e999999", "1e-41", "1e-999999999999"])
def test_what_would_fill_the_memory_is_refused_before_it_does(text: str) -> None:
    with pytest.raises(ValueError, match=r"accepted: zero to 10\^12"):
        exact(text)
    assert exact("1e12") == 10**12


def test_an_amount_is_exact_whatever_its_decimals() -> None:
    assert micro_usd("0.1866395") == Fraction(373_279, 2)
    assert micro_usd("1e-7") == Fraction(1, 10)
