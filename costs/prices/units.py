"""Units of prices as types, so that an hour, a month and a term are never mixed up.

Providers quote by the hour, by the month, and by the term of 8,760 hours a year. The three are
different types without arithmetic. A term becomes an hour only by name; a month becomes neither,
since a month of the calendar has no fixed number of hours. A GB is 10^9 bytes, a GiB 2^30.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from costs.money import MICRO_USD_PER_USD

GB = 10**9
GIB = 2**30
MIB = 2**20
UNIT_BYTES = {"GB": GB, "GiB": GIB}
HOURS_PER_YEAR = 8_760
MOST, MOST_DECIMALS = 10**12, 40
ACCEPTED = "zero to 10^12"


@dataclass(frozen=True, order=True)
class PerHour:
    """Micro-USD for each hour."""

    micro_usd: Fraction

    def whole(self) -> int:
        """Return whole micro-USD per hour, rounded half to even."""
        return round(self.micro_usd)


@dataclass(frozen=True, order=True)
class PerMonth:
    """Micro-USD for each month of the calendar."""

    micro_usd: Fraction


@dataclass(frozen=True)
class PerTerm:
    """Micro-USD once, for a term of `years` of 8,760 hours."""

    micro_usd: Fraction
    years: int

    def per_hour(self) -> PerHour:
        """Return the same price by the hour of the term."""
        return PerHour(self.micro_usd / (self.years * HOURS_PER_YEAR))


def exact(number: Decimal | str) -> Fraction:
    """Return a decimal number as it is written.

    Raises ValueError unless it is 0 to 10^12 with at most 40 decimals, in plain digits: 1e999999
    would fill the memory, and 1_000 is a number to Python alone.
    """
    try:
        value = Decimal(number)
    except InvalidOperation:
        value = Decimal("NaN")
    plain = not isinstance(number, str) or (number.isascii() and "_" not in number)
    within = value.is_finite() and 0 <= value <= MOST
    if not (plain and within) or int(value.as_tuple().exponent) < -MOST_DECIMALS:
        raise ValueError(f"{number!r} is no number; accepted: {ACCEPTED}")
    return Fraction(value)


def micro_usd(usd: Decimal | str) -> Fraction:
    """Return an amount in USD as exact micro-USD. Raises ValueError as `exact` does."""
    return exact(usd) * MICRO_USD_PER_USD
