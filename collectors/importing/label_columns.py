"""Cells of some columns to the labels of a record."""

from collections.abc import Mapping, Sequence

import msgspec

from collectors.importing.cell import Cell, CellError
from collectors.importing.field_column import require_text
from usage.record import LabelValue


class LabelColumns:
    """Reads the labels `names` (label to column); a cell with one of `empty` gives no label."""

    def __init__(self, names: Mapping[str, str], empty: Sequence[str]) -> None:
        self.names = names
        self._empty = frozenset[Cell]({None, *empty})

    def values(self, cells: Mapping[str, Sequence[Cell]]) -> list[dict[str, str]]:
        """Return the labels of each row. Rows with equal ones may share them. Raises CellError."""
        columns = [self._column(label, cells[column]) for label, column in self.names.items()]
        shared: dict[tuple[str | None, ...], dict[str, str]] = {}
        return [
            shared.get(row) or shared.setdefault(row, self._labels(row))
            for row in zip(*columns, strict=True)
        ]

    def _labels(self, row: tuple[str | None, ...]) -> dict[str, str]:
        named = zip(self.names, row, strict=True)
        return {label: text for label, text in named if text is not None}

    def _column(self, label: str, cells: Sequence[Cell]) -> list[str | None]:
        empty = self._empty
        texts = [None if cell in empty else str(cell) for cell in cells]
        distinct = {text for text in texts if text is not None}
        try:
            msgspec.convert(list(distinct), list[LabelValue])
            require_text(distinct)
        except ValueError as error:
            raise CellError(
                f"labels.{label}", cells[0], "text of at most 128 characters"
            ) from error
        return texts
