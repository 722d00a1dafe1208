"""Rows of a foreign log to usage records: a whole block at once, down to the row that fails."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from collectors.importing.block import Block, RejectedRow
from collectors.importing.cell import Cell, CellError
from collectors.importing.contract import DEFAULTS, LIST_HINTS, accepted
from collectors.importing.field_column import FieldColumn
from collectors.importing.import_map import ImportMap
from collectors.importing.label_columns import LabelColumns
from collectors.importing.source import Source
from usage import UsageRecord

Columns = dict[str, Sequence[Any]]


class RowConverter:
    """Makes the records of `source` by `import_map`; `node_id` is the node that they are of."""

    def __init__(self, import_map: ImportMap, source: Source) -> None:
        self._source = source
        self._time_column = import_map.time.column
        self._time_format = import_map.time_format()
        self._marks_end = import_map.time.marks == "end"
        self._fields = [FieldColumn(field, import_map) for field in import_map.columns]
        self._labels = LabelColumns(import_map.labels, import_map.empty)
        self._constants = {
            **DEFAULTS,
            "node_id": source.node_id,
            "boot_id": source.boot_id,
            **import_map.constants,
        }
        self._given = frozenset({*import_map.columns, *import_map.constants})
        self.node_id: str = self._constants["node_id"]

    def split(self, block: Block, seq: int) -> tuple[list[UsageRecord], list[RejectedRow]]:
        """Return the records of `block`, numbered from the one after `seq` on, and the rows of it
        that are none, in their order.
        """
        records: list[UsageRecord] = []
        rejected = list(block.broken)
        # Halves on a stack: only what fails is looked at row by row.
        spans = [(0, len(block.numbers))] if block.numbers else []
        while spans:
            begin, end = spans.pop()
            cells = {name: column[begin:end] for name, column in block.cells.items()}
            numbers = block.numbers[begin:end]
            try:
                records += self._records(cells, numbers, seq + len(records))
            except CellError as error:
                if end - begin == 1:
                    rejected.append(RejectedRow(block.place(begin), str(error)))
                else:
                    middle = (begin + end) // 2
                    spans += [(middle, end), (begin, middle)]
        rejected.sort(key=lambda row: row.place.number)
        return records, rejected

    def _records(
        self, cells: Mapping[str, Sequence[Cell]], numbers: Sequence[int], seq: int
    ) -> list[UsageRecord]:
        """Return the record of each row. Raises CellError when one of the rows is none."""
        count = len(numbers)
        columns: Columns = {
            "seq": range(seq + 1, seq + 1 + count),
            "record_id": self._source.record_ids(numbers),
        }
        for field in self._fields:
            columns[field.field] = field.values(cells[field.column])
        if self._labels.names:
            columns["labels"] = self._labels.values(cells)
        if "total_us" not in self._given:
            columns["total_us"] = self._totals(columns, count)
        columns["batch_size"] = self._batch_sizes(columns, count)
        columns["arrived_at_us"] = self._arrivals(cells[self._time_column], columns, count)
        return self._rows(columns)

    def _rows(self, columns: Columns) -> list[UsageRecord]:
        # One dict for all rows: to make one for each takes as long as to make the record.
        fields = dict(self._constants)
        names = tuple(columns)
        records = []
        for row in zip(*columns.values(), strict=True):
            fields.update(zip(names, row, strict=True))
            records.append(UsageRecord(**fields))
        return records

    def _column(self, columns: Columns, name: str, count: int) -> Sequence[Any]:
        return columns.get(name) or [self._constants[name]] * count

    def _totals(self, columns: Columns, count: int) -> list[int]:
        queue_us = self._column(columns, "queue_us", count)
        compute_us = self._column(columns, "compute_us", count)
        totals = [queue + compute for queue, compute in zip(queue_us, compute_us, strict=True)]
        return _held(totals, "total_us")

    def _batch_sizes(self, columns: Columns, count: int) -> Sequence[int]:
        """Return what the map gives, or else the items of what was executed.

        Raises CellError where the one rule of the contract about several fields is not kept.
        """
        compute_us = self._column(columns, "compute_us", count)
        items = self._column(columns, "items", count)
        if "batch_size" not in self._given:
            return [least if used else 0 for used, least in zip(compute_us, items, strict=True)]
        sizes = self._column(columns, "batch_size", count)
        for used, least, size in zip(compute_us, items, sizes, strict=True):
            if used and size < least:
                words = f"at least items, {least}, where compute_us is above 0"
                raise CellError("batch_size", size, words)
        return sizes

    def _arrivals(self, cells: Sequence[Cell], columns: Columns, count: int) -> list[int]:
        instants = self._time_format.instants(cells)
        if self._marks_end:
            total_us = self._column(columns, "total_us", count)
            instants = [end - total for end, total in zip(instants, total_us, strict=True)]
        return _held(instants, "arrived_at_us")


def _held(values: list[int], field: str) -> list[int]:
    try:
        held: list[int] = msgspec.convert(values, LIST_HINTS[field])
    except msgspec.ValidationError as error:
        raise CellError(field, values[0], accepted(field)) from error
    return held
