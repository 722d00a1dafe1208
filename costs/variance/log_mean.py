"""Logarithms and logarithmic means of exact numbers, to far below one tick.

`decimal` rounds its logarithm correctly, so a result does not depend on the machine as that of a
floating point library does, and 1/r has exactly minus the logarithm of r here.
"""

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction

from costs.money import Ticks

# Digits kept beyond those of the amounts in hand: what is rounded away is far below one tick.
SPARE_DIGITS = 20


def context_for(*amounts: Ticks) -> Context:
    """Return a context in which products of logarithms and `amounts` are exact far below 1."""
    bits = max((int(amount).bit_length() for amount in amounts), default=0)
    digits = bits * 3 // 10 + 1
    return Context(
        # A third more: a mean of nearly equal amounts loses up to a quarter of the digits.
        prec=4 * (SPARE_DIGITS + digits) // 3,
        rounding=ROUND_HALF_EVEN,
        Emin=MIN_EMIN,
        Emax=MAX_EMAX,
        traps=[InvalidOperation, DivisionByZero, Overflow],
    )


def log(ratio: Fraction, context: Context) -> Decimal:
    """Return the natural logarithm of `ratio`, which is above 0."""
    if ratio < 1:
        return log(1 / ratio, context).copy_negate()
    return context.ln(_decimal(ratio, context))


def log_mean(a: Ticks, b: Ticks, context: Context | None = None) -> Decimal:
    """Return (a - b) / ln(a / b) for `a`, `b` above 0; `a` where they are equal.

    Raises ValueError for an amount that is not above 0.
    """
    for name, amount in (("a", a), ("b", b)):
        if amount <= 0:
            raise ValueError(f"{name} is {amount}; accepted: above 0")
    context = context or context_for(a, b)
    high, low = Fraction(max(a, b)), Fraction(min(a, b))
    mean = _decimal((high + low) / 2, context)
    # With x = (a - b) / (a + b): ln(a / b) = 2 artanh(x), so the mean is (a + b) / 2 x / artanh(x).
    x = _decimal((high - low) / (high + low), context)
    if x < Decimal((0, (1,), -(context.prec // 4))):
        # Nearly equal: artanh(x) / x = 1 + x^2/3, and x^4/5 is below the last digit.
        third = context.divide(Decimal(1), Decimal(3))
        return context.divide(mean, context.fma(context.multiply(x, x), third, Decimal(1)))
    return context.divide(_decimal(high - low, context), log(high / low, context))


def _decimal(value: Fraction, context: Context) -> Decimal:
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))
