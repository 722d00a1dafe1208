"""Amounts of money as a review spells them: exact until here, then as people read them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from costs import TICKS_PER_USD, Ticks, to_usd
from reports.formatting import DASH, usd

MINUS = "\N{MINUS SIGN}"
CENTS = 2
MOST_PLACES = 12
# Far beyond what is ever shown, so that an amount is rounded once.
EXACT_PLACES = 30


def ticks_usd(ticks: Ticks) -> float:
    """Return `ticks` in USD, to be drawn or compared, not added up."""
    return float(Fraction(ticks, TICKS_PER_USD))


def spell_ticks(ticks: Ticks | None) -> str:
    """Return an amount in ticks as people read it, without its unit; a dash for None."""
    return DASH if ticks is None else usd(to_usd(ticks, EXACT_PLACES))


def signed(amount: str) -> str:
    """Return a spelled amount with its sign."""
    return amount if amount.startswith(MINUS) else f"+{amount}"


def split_steps(
    before: Ticks, changes: Sequence[Ticks], places: int = MOST_PLACES
) -> tuple[Decimal, list[Decimal], Decimal]:
    """Return `before`, `changes` and what they lead to in USD, such that they add up as rounded.

    Both ends are rounded like everywhere else, half to even. Each change is at most one unit of the
    last place off: of those that are not zero, the ones that lost most when rounded down are
    rounded up (largest remainder).
    """
    unit = Fraction(TICKS_PER_USD, 10**places)
    exact = [Fraction(change) / unit for change in changes]
    units = [value.numerator // value.denominator for value in exact]
    start, end = (to_usd(end, places) for end in (before, sum(changes, Fraction(before))))
    left = int((end - start).scaleb(places)) - sum(units)
    moved = sorted((i for i, value in enumerate(exact) if value), key=lambda i: units[i] - exact[i])
    for i in moved[:left] if left > 0 else moved[left:] if left else []:
        units[i] += 1 if left > 0 else -1
    return start, [to_usd(unit * number, places) for number in units], end


def spell_steps(before: Ticks, changes: Sequence[Ticks]) -> tuple[str, list[str], str]:
    """Return `before`, `changes` with their signs and what they lead to, adding up as shown.

    All have the same number of decimals: cents from 1 USD up, else enough for three digits of the
    largest to count.
    """
    amounts = [Fraction(amount) for amount in (before, *changes, sum(changes, before))]
    places = _places(max(abs(amount) for amount in amounts))
    start, steps, end = split_steps(before, changes, places)
    return _spell(start), [signed(_spell(step)) for step in steps], _spell(end)


def shows(amount: str) -> bool:
    """Return whether a spelled amount is more than nothing: 0.00 is not."""
    return any(digit in amount for digit in "123456789")


def spell_exact(ticks: Ticks) -> str:
    """Return an amount in ticks in USD with twelve decimals, for comparing digit by digit."""
    return _spell(to_usd(ticks, MOST_PLACES))


def _places(largest: Fraction) -> int:
    dollars = largest / TICKS_PER_USD
    places = CENTS
    while places < MOST_PLACES and 0 < dollars * 10**places < 100:
        places += 1
    return places


def _spell(amount: Decimal) -> str:
    sign = MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,f}"
