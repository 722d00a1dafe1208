"""Cells of one column to values of one field of the record, many at a time."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import msgspec

from collectors.importing.cell import Cell, CellError
from collectors.importing.contract import LIST_HINTS, accepted, is_integer, is_nullable
from collectors.importing.decimal_text import scaled
from collectors.importing.import_map import ImportMap

# Power of ten from the unit to microseconds.
UNIT_POWERS: Final = {"s": 6, "ms": 3, "us": 0, "ns": -3}

# Of numbers that are read without a closer look; none that is accepted has more.
MOST_DIGITS: Final = 18

Read = Callable[[Sequence[str | int]], Sequence[Any]]


class FieldColumn:
    """Reads `column` as `field`, as `import_map` says."""

    def __init__(self, field: str, import_map: ImportMap) -> None:
        self.field = field
        self.column = import_map.columns[field]
        self._hint = LIST_HINTS[field]
        self._empty = frozenset[Cell]({None, *import_map.empty})
        self._values: Mapping[str, str | int] = import_map.values.get(field, {})
        self._can_be_empty = is_nullable(field) or field in import_map.constants
        self._when_empty = import_map.constants.get(field)
        self._accepted = accepted(field)
        self._read: Read = _texts
        if field in import_map.units:
            unit = import_map.units[field]
            self._accepted = f"an unsigned decimal number of {unit}, at most 10 days"
            self._read = partial(_durations, power=UNIT_POWERS[unit])
        elif is_integer(field):
            self._read = _integers

    def values(self, cells: Sequence[Cell]) -> list[Any]:
        """Return the value of each of `cells`, which the contract allows.

        Raises CellError when one has none; it names that one only where it stands alone.
        """
        if self._values:
            replaced = self._values
            cells = [cell if cell is None else replaced.get(str(cell), cell) for cell in cells]
        empty = self._empty
        if empty.isdisjoint(cells):
            return self._held(cast(Sequence[str | int], cells))
        if not self._can_be_empty:
            raise CellError(
                self.field, None, f"{self._accepted}; a constant in the map stands for empty cells"
            )
        there = iter(self._held([cell for cell in cells if cell is not None and cell not in empty]))
        return [self._when_empty if cell in empty else next(there) for cell in cells]

    def _held(self, cells: Sequence[str | int]) -> list[Any]:
        """Read `cells`, in each of which there is something, and hold them to the contract."""
        try:
            values: list[Any] = msgspec.convert(self._read(cells), self._hint)
        # Of msgspec, of scaled, of text that is no UTF-8.
        except ValueError as error:
            raise CellError(self.field, cells[0], self._accepted) from error
        return values


def require_text(texts: set[str]) -> None:
    """Raise ValueError when one of `texts` was no UTF-8, or has a NUL, which no name has."""
    together = "".join(texts)
    together.encode()
    if "\0" in together:
        raise ValueError("a NUL")


def _texts(cells: Sequence[str | int]) -> list[str]:
    texts = [cell if isinstance(cell, str) else str(cell) for cell in cells]
    require_text(set(texts))
    return texts


def _integers(cells: Sequence[str | int]) -> list[int]:
    if _all_digits(cells):
        return list(map(int, cells))
    return [cell if isinstance(cell, int) else scaled(cell, 0, "exact") for cell in cells]


def _durations(cells: Sequence[str | int], power: int) -> list[int]:
    if power >= 0 and _all_digits(cells):
        factor = 10**power
        return [int(cell) * factor for cell in cells]
    return [scaled(str(cell), power, "half_up") for cell in cells]


def _all_digits(cells: Sequence[str | int]) -> bool:
    """Tell whether all of `cells` are text of a few digits, as most numbers in logs are."""
    if set(map(type, cells)) != {str}:
        return False
    texts = cast(Sequence[str], cells)
    together = "".join(texts)
    return (
        together.isascii()
        and together.isdigit()
        and min(map(len, texts)) >= 1
        and (max(map(len, texts)) <= MOST_DIGITS)
    )
