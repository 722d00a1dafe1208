"""Checks of what somebody declares: exact numbers within bounds, names that are there."""

from fractions import Fraction

Number = int | Fraction
"""An exact number: a float would spread to every sum that it is part of."""


def check_exact(field: str, value: object) -> None:
    """Raise ValueError unless `value` is an int or a Fraction."""
    exact = isinstance(value, int | Fraction) and not isinstance(value, bool)
    if not exact:
        raise ValueError(f"{field} is {value!r}; accepted: an int or a Fraction")


def check_number(
    field: str, value: object, *, positive: bool = False, most: Number | None = None
) -> None:
    """Raise ValueError unless `value` is an int or a Fraction, 0 or more, and at most `most`.

    Where it must be `positive`, 0 is refused, too.
    """
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        enough = value > 0 if positive else value >= 0
        if enough and (most is None or value <= most):
            return
    low = "above 0" if positive else "0 or more"
    accepted = f"an int or a Fraction, {low}" + ("" if most is None else f", at most {most}")
    raise ValueError(f"{field} is {value!r}; accepted: {accepted}")


def check_whole(field: str, value: object, *, least: int = 0) -> None:
    """Raise ValueError unless `value` is an int of `least` or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{field} is {value!r}; accepted: a whole number, {least} or more")


def check_names(field: str, value: object) -> None:
    """Raise ValueError for one text where several names are meant: "L4" is a part of "L40S"."""
    one_text = isinstance(value, str)
    if one_text:
        raise ValueError(f"{field} is {value!r}; accepted: a tuple or a set of names")


def check_text(field: str, value: str) -> None:
    """Raise ValueError for an empty text."""
    if not value.strip():
        raise ValueError(f"{field} is {value!r}; accepted: a name")
