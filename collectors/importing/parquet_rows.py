"""Rows of a Parquet file, read some thousand at a time however large its row groups are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collectors.importing.block import Block, Reached, RowPlace
from collectors.importing.cell import Cell, shown, shown_names
from collectors.importing.content import Content
from collectors.importing.errors import InputError

BLOCK_ROWS: Final = 4_096
# Read of a column at a time: without a buffer Arrow takes whole row groups into memory.
BUFFER_BYTES: Final = 2**20


class ParquetRows:
    """The rows of the file of `content`, of each the cells of `wanted` columns.

    A path of several names goes into structs. Timestamps become text of RFC 3339, with a Z where
    the column names a time zone. Raises InputError when a column is not there or is of a type that
    has no text.
    """

    def __init__(self, content: Content, wanted: Sequence[str]) -> None:
        self._path = content.path
        if content.is_packed:
            raise InputError(f"{self._path}: a packed Parquet file; accepted: as it was written")
        with _named(self._path):
            self._file = pq.ParquetFile(
                self._path, buffer_size=BUFFER_BYTES, pre_buffer=False, memory_map=False
            )
        self.extent: int = self._file.metadata.num_rows
        schema = self._file.schema_arrow
        self._steps = {name: _steps(self._path, schema, name) for name in wanted}

    def blocks(self, start: Reached) -> Iterator[Block]:
        """Yield the rows behind `start`. Raises InputError."""
        number = start.rows
        columns = [".".join(steps) for steps in self._steps.values()]
        groups, skipped = self._groups(start.rows)
        with _named(self._path):
            for batch in self._file.iter_batches(BLOCK_ROWS, row_groups=groups, columns=columns):
                fresh = batch.slice(min(skipped, len(batch)))
                skipped -= len(batch) - len(fresh)
                if not len(fresh):
                    continue
                cells = {name: _cells(fresh, steps) for name, steps in self._steps.items()}
                numbers = range(number + 1, number + 1 + len(fresh))
                number += len(fresh)
                reached = Reached(number, number, number)
                yield Block(cells, numbers, partial(_place, cells, numbers), [], reached)

    def _groups(self, rows: int) -> tuple[list[int], int]:
        """Return the row groups behind the first `rows`, and how many rows of them are not."""
        metadata = self._file.metadata
        first = 0
        while first < metadata.num_row_groups and rows >= metadata.row_group(first).num_rows:
            rows -= metadata.row_group(first).num_rows
            first += 1
        return list(range(first, metadata.num_row_groups)), rows


class _named:  # noqa: N801 - a context manager
    """Raises what Arrow raises as InputError."""

    def __init__(self, path: object) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            words = " ".join(str(error).split())[:300]
            raise InputError(f"{self._path}: cannot be read as Parquet: {words}") from error


def _place(cells: Mapping[str, Sequence[Cell]], numbers: Sequence[int], index: int) -> RowPlace:
    number = numbers[index]
    row = {name: column[index] for name, column in cells.items()}
    return RowPlace(number, f"row {number}", number, json.dumps(row).encode())


def _steps(path: object, schema: Any, name: str) -> list[str]:
    """Return the names that lead to column `name`, a single one where it is at the top."""
    kind, steps = None, [name] if name in schema.names else name.split(".")
    for place, step in enumerate(steps):
        fields = list(schema) if place == 0 else list(kind or [])
        found = [field for field in fields if field.name == step]
        if len(found) != 1:
            known = shown_names([field.name for field in fields])
            times = "has no" if not found else f"has {len(found)} columns"
            raise InputError(f"{path}: {times} {shown(name)}, which the map names; it has: {known}")
        kind = found[0].type
        if place < len(steps) - 1 and not pa.types.is_struct(kind):
            raise InputError(f"{path}: {shown(step)} is {kind}; accepted in {name!r}: a struct")
    if not _has_text(kind):
        raise InputError(
            f"{path}: {shown(name)} is {kind}; accepted: numbers, text, booleans, timestamps"
        )
    return steps


def _has_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    return any(
        is_one(kind)
        for is_one in (
            pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean,
            pa.types.is_string, pa.types.is_large_string, pa.types.is_timestamp, pa.types.is_null,
            pa.types.is_string_view,
        )
    )  # fmt: skip


def _cells(batch: Any, steps: Sequence[str]) -> list[Cell]:
    column = batch.column(batch.schema.get_field_index(steps[0]))
    if len(steps) > 1:
        column = pc.struct_field(column, list(steps[1:]))
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = column.cast(pa.timestamp(kind.unit, "UTC"))
        column = column.cast(pa.string())
    cells = column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_null(kind):
        return cells  # type: ignore[no-any-return]
    return [cell if isinstance(cell, str | None) else _text(cell) for cell in cells]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # Of a float the shortest decimal that is this float, which is what was meant.
    return repr(value) if isinstance(value, float) else format(value, "f")
