"""The value of one column in one row, as a format gives it: text, a whole number, or nothing."""

from typing import TypeAlias

Cell: TypeAlias = str | int | None

SHOWN_CHARACTERS = 100


class CellError(ValueError):
    """A cell cannot be what the map says it is; the message names field, value and the accepted."""

    def __init__(self, field: str, cell: Cell, accepted: str) -> None:
        super().__init__(f"{field} is {shown(cell)}; accepted: {accepted}")


def shown(cell: Cell) -> str:
    """Return `cell` for a message: quoted, in ASCII, and not for pages."""
    if cell is None:
        return "missing"
    if isinstance(cell, int):
        # Python refuses to write numbers of very many digits.
        return str(cell) if cell.bit_length() < 256 else "a very large number"
    return ascii(cell[:SHOWN_CHARACTERS]) + ("..." if len(cell) > SHOWN_CHARACTERS else "")
