"""Exact money. A tick is a price in micro-USD per hour times one microsecond: 1/3.6e15 USD.

Sums of ticks are exact and linear, so parts always add up to the whole. A tick count is an int, or
a Fraction where a worker shares a machine or a request shares a batch. Only a picture or a file
turns ticks into decimals.
"""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

MICRO_USD_PER_USD = 1_000_000
MICROSECONDS_PER_HOUR = 3_600_000_000
TICKS_PER_USD = MICRO_USD_PER_USD * MICROSECONDS_PER_HOUR

Ticks = int | Fraction


def to_usd(ticks: Ticks, places: int = 12) -> Decimal:
    """Return `ticks` in USD, rounded half to even at `places` decimals."""
    usd = Fraction(ticks, TICKS_PER_USD)
    scaled = round(usd * 10**places)
    with localcontext() as context:
        context.prec = max(28, len(str(abs(scaled))) + 1)
        context.rounding = ROUND_HALF_EVEN
        return Decimal(scaled).scaleb(-places)


def split_usd(parts: list[Ticks], places: int = 12) -> list[Decimal]:
    """Return `parts` in USD at `places` decimals such that they sum to their rounded total.

    Largest remainder: every part is rounded down, then the units left over go to the parts that
    lost most, the earlier one first where two lost the same.
    """
    unit = Fraction(TICKS_PER_USD, 10**places)
    exact = [Fraction(part) / unit for part in parts]
    units = [value.numerator // value.denominator for value in exact]
    left = round(sum(exact, Fraction(0))) - sum(units)
    by_loss = sorted(range(len(parts)), key=lambda i: (units[i] - exact[i], i))
    for i in by_loss[:left]:
        units[i] += 1
    return [to_usd(unit * count, places) for count in units]
