"""The logarithmic mean: exact at any size, the same on every machine, fair to both periods."""

import math
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.variance import log_mean
from costs.variance.log_mean import context_for, log

AMOUNTS = st.one_of(
    st.integers(1, 10**40),
    st.fractions(Fraction(1, 10**30), 10**30, max_denominator=10**30).filter(bool),
)


def ln_by_series(ratio: Fraction, terms: int) -> Fraction:
    """Return 2 artanh((r - 1) / (r + 1)), summed in fractions: no logarithm of any library."""
    x = (ratio - 1) / (ratio + 1)
    return 2 * sum((x ** (2 * n + 1) / (2 * n + 1) for n in range(terms)), Fraction(0))


@pytest.mark.parametrize(("a", "b"), [(2, 1), (3, 2), (101, 100), (10**9 + 1, 10**9), (5, 7)])
def test_the_mean_is_the_difference_over_the_logarithm_summed_as_a_series(a: int, b: int) -> None:
    expected = (a - b) / ln_by_series(Fraction(a, b), 120)
    assert abs(Fraction(log_mean(a, b)) / expected - 1) < Fraction(1, 10**18)


@pytest.mark.parametrize("digits", [1, 4, 6, 7, 8, 9, 20, 29, 30, 31, 32, 35, 60, 200, 1000])
def test_nearly_equal_amounts_have_the_mean_of_the_series_too(digits: int) -> None:
    d = Fraction(1, 10**digits)
    # L(1 + d, 1) = 1 + d/2 - d^2/12 + d^3/24 - 19 d^4/720 + 3 d^5/160 ...
    expected = 1 + d / 2 - d**2 / 12 + d**3 / 24 - 19 * d**4 / 720 + 3 * d**5 / 160
    found = Fraction(log_mean(1 + d, 1))
    assert abs(found - expected) < d**6 + Fraction(1, 10**20)
    assert found == Fraction(log_mean(1, 1 + d))


@given(a=AMOUNTS, b=AMOUNTS)
def test_the_mean_lies_between_geometric_and_arithmetic_mean_and_ignores_the_order(
    a: int | Fraction, b: int | Fraction
) -> None:
    mean = log_mean(a, b)
    assert mean == log_mean(b, a)
    slack = 1 + Fraction(1, 10**18)
    assert Fraction(mean) <= Fraction(a + b) / 2 * slack
    assert Fraction(mean) ** 2 * slack >= Fraction(a) * b


def test_the_mean_of_equal_amounts_is_the_amount() -> None:
    assert log_mean(7, 7) == 7
    assert log_mean(10**50, 10**50) == 10**50


@given(ratio=st.fractions(Fraction(1, 10**12), 10**12).filter(bool))
def test_the_logarithm_of_the_inverse_is_exactly_the_negative(ratio: Fraction) -> None:
    context = context_for(10**20)
    assert log(ratio, context) == log(1 / ratio, context).copy_negate()
    assert float(log(ratio, context)) == pytest.approx(
        math.log(ratio.numerator) - math.log(ratio.denominator), rel=1e-9, abs=1e-9
    )


def test_the_callers_decimal_context_is_neither_used_nor_changed() -> None:
    expected = log_mean(3, 2)
    with localcontext() as rough:
        rough.prec = 3
        assert log_mean(3, 2) == expected
        assert log(Fraction(1, 3), context_for(1)).adjusted() == 0
        assert len(log(Fraction(1, 3), context_for(1)).as_tuple().digits) > 25
    assert getcontext().prec == 28
    ln_of_one_and_a_half = Decimal("0.405465108108164381978013115464")
    assert abs(1 / expected - ln_of_one_and_a_half) < Decimal("1e-20")


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 0), (-1, 2)])
def test_an_amount_that_is_not_above_zero_is_refused(a: int, b: int) -> None:
    with pytest.raises(ValueError, match="accepted: above 0"):
        log_mean(a, b)
