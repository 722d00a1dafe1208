"""The value of one column in one row, as a format gives it: text, a whole number, or nothing."""

from collections.abc import Sequence
from typing import TypeAlias

Cell: TypeAlias = str | int | None

SHOWN_CHARACTERS = 100
SHOWN_NAMES = 30


class CellError(ValueError):
    """A cell cannot be what the map says it is; the message names field, value and the accepted."""

    def __init__(self, field: str, cell: Cell, accepted: str) -> None:
        super().__init__(f"{field} is {shown(cell)}; accepted: {accepted}")


def shown(value: object) -> str:
    """Return `value`, a cell or what stands in a map, for a message: in ASCII, not for pages."""
    if value is None:
        return "missing"
    # Python refuses to write numbers of very many digits.
    if isinstance(value, int) and value.bit_length() >= 256:
        return "a very large number"
    if isinstance(value, str):
        return ascii(value[:SHOWN_CHARACTERS]) + ("..." if len(value) > SHOWN_CHARACTERS else "")
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def shown_names(names: Sequence[str]) -> str:
    """Return the `names` of columns for a message, the first of very many."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(map(shown, names[:SHOWN_NAMES])) + (f" and {more} more" if more > 0 else "")
