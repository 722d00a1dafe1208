"""Amounts of money as a review spells them: exact until here, then as people read them."""

from decimal import Decimal
from fractions import Fraction

from costs import TICKS_PER_USD, Ticks, split_usd
from reports.formatting import DASH, usd

MINUS = "\N{MINUS SIGN}"
CENTS = 2
MOST_PLACES = 12


def ticks_usd(ticks: Ticks) -> float:
    """Return `ticks` in USD, to be drawn or compared, not added up."""
    return float(Fraction(ticks, TICKS_PER_USD))


def spell_ticks(ticks: Ticks | None) -> str:
    """Return an amount in ticks as people read it, without its unit; a dash for None."""
    return DASH if ticks is None else usd(ticks_usd(ticks))


def spell_usd(amount: Decimal | None) -> str:
    """Return an amount in USD as people read it, without its unit; a dash for None."""
    return DASH if amount is None else usd(float(amount))


def signed(amount: str) -> str:
    """Return a spelled amount with its sign."""
    return amount if amount.startswith(MINUS) else f"+{amount}"


def spell_sum(parts: list[Ticks]) -> tuple[list[str], str]:
    """Return `parts` and their sum as decimals that add up as they are shown.

    All have the same number of decimals: cents from 1 USD up, else enough for three digits of the
    largest to count.
    """
    total = sum(parts, Fraction(0))
    places = _places(max(abs(Fraction(part)) for part in [*parts, total]))
    amounts = split_usd(parts, places)
    return [_spell(amount) for amount in amounts], _spell(sum(amounts, Decimal(0)))


def shows(amount: str) -> bool:
    """Return whether a spelled amount is more than nothing: 0.00 is not."""
    return any(digit in amount for digit in "123456789")


def spell_exact(ticks: Ticks) -> str:
    """Return an amount in ticks in USD with twelve decimals, for comparing digit by digit."""
    [amount] = split_usd([ticks], MOST_PLACES)
    return _spell(amount)


def _places(largest: Fraction) -> int:
    dollars = largest / TICKS_PER_USD
    places = CENTS
    while places < MOST_PLACES and 0 < dollars * 10**places < 100:
        places += 1
    return places


def _spell(amount: Decimal) -> str:
    sign = MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,f}"
