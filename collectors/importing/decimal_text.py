"""Decimal numbers in text, scaled to whole numbers without ever becoming floats."""

import re
from typing import Literal

Rounding = Literal["down", "half_up", "exact"]

# More digits than any instant or duration has; bounds the work on a hostile cell.
LONGEST = 64

_WITH_EXPONENT = re.compile(r"(?=\.?[0-9])([0-9]*)\.?([0-9]*)[eE]([+-]?[0-9]{1,3})")


def scaled(text: str, power: int, rounding: Rounding) -> int:
    """Return the number in `text` times ten to the `power`.

    What is no whole number then is rounded down, or to the nearest with halves up, or with "exact"
    refused. Accepted are unsigned decimals of at most 64 characters, an exponent included. Raises
    ValueError for all others.
    """
    whole, _, fraction = text.partition(".")
    joined = whole + fraction
    if len(text) <= LONGEST and joined.isdigit() and joined.isascii():
        digits, shift = int(joined), power - len(fraction)
    else:
        digits, shift = _with_exponent(text, power)
    if shift >= 0:
        return digits * int(10**shift)
    unit = int(10**-shift)
    if rounding == "exact" and digits % unit:
        raise ValueError("not whole")
    return (digits + (unit // 2 if rounding == "half_up" else 0)) // unit


def _with_exponent(text: str, power: int) -> tuple[int, int]:
    match = _WITH_EXPONENT.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise ValueError("no unsigned decimal number")
    whole, fraction, exponent = match.groups()
    return int(whole + fraction), power - len(fraction) + int(exponent)
