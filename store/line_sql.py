"""Reading lines of the spool with DuckDB, many at a time, held to the contract of the record.

A line is taken here only if writing its values again as JSON gives the very same line: then it has
no unknown, missing or repeated field, no value of another type, and nothing was lost in reading.
That and the bounds below, which come from the contract itself (usage/record.py), make it a valid
record. What is not taken is not judged here: msgspec reads it and says why it is none.
"""

import json

from msgspec import inspect

from usage import UsageRecord

# What the rollups are kept by. Their values are held to the contract once, when a combination is
# first seen, and compared with the known ones from then on: labels by their text in the line.
KEY_FIELDS = (
    "node_id",
    "boot_id",
    "origin",
    "model",
    "model_version",
    "variant",
    "tenant",
    "labels",
    "priority",
    "pool",
    "cache",
    "status",
    "error",
    "route",
)
# Of these the column's type is the check.
UUID_FIELDS = ("record_id", "parent_id")


def _contract() -> inspect.StructType:
    found = inspect.type_info(UsageRecord)
    assert isinstance(found, inspect.StructType)
    return found


_TYPES = {field.encode_name: field.type for field in _contract().fields}


def _column_type(name: str) -> str:
    if name in UUID_FIELDS:
        return "UUID"
    if name == "labels":
        return "JSON"
    return "BIGINT" if isinstance(_present(_TYPES[name]), inspect.IntType) else "VARCHAR"


def _present(kind: inspect.Type) -> inspect.Type:
    """Return the type of a value that is not null."""
    if isinstance(kind, inspect.UnionType):
        [kind] = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    return kind


def _within_bounds(name: str) -> str:
    kind, value = _present(_TYPES[name]), f"record.{name}"
    if name in UUID_FIELDS:
        bounds = f"{value} IS NOT NULL"
    elif isinstance(kind, inspect.IntType):
        bounds = f"{value} BETWEEN {kind.ge} AND {kind.le}"
    elif isinstance(kind, inspect.StrType) and kind.pattern:
        bounds = f"regexp_matches({value}, '{kind.pattern}')"
    elif isinstance(kind, inspect.StrType):
        # In bytes, of which there are at least as many as characters.
        bounds = f"strlen({value}) BETWEEN {kind.min_length or 0} AND {kind.max_length}"
    else:
        raise TypeError(f"{name}: {kind} is not understood")
    nullable = isinstance(_TYPES[name], inspect.UnionType)
    return f"({value} IS NULL OR {bounds})" if nullable else bounds


# The columns of usage_record_hot beside the dimension.
MEASURE_FIELDS = tuple(name for name in _TYPES if name not in (*KEY_FIELDS, "schema"))

# For json_transform: the fields in the order in which they are written, kind and schema included.
STRUCTURE = json.dumps(
    {"kind": "VARCHAR", "schema": "INTEGER"}
    | {name: _column_type(name) for name in _TYPES if name != "schema"}
)

# Whether record, a struct of STRUCTURE, is what its line says and within all bounds. Null when a
# value is missing.
IS_VALID = " AND ".join(
    [
        "starts_with(line, again) AND strlen(line) = strlen(again) + 1",
        f"record.kind = '{_contract().tag}'",
        "record.schema = 1",
        *(_within_bounds(name) for name in MEASURE_FIELDS),
        "(record.compute_us = 0 OR record.batch_size >= record.items)",
    ]
)

_SAME_KEY = " AND ".join(
    f"record.{name}{'::VARCHAR' if name == 'labels' else ''} IS NOT DISTINCT FROM key.{name}"
    for name in KEY_FIELDS
)
_MEASURES = ", ".join(f"record.{name}" for name in MEASURE_FIELDS)

# The lines (number, folder, line) with what they say; local_id, the number of the combination, is
# null for those that are not taken. Checks are a column here: as a condition, the optimiser would
# evaluate them below the projection, and read every line again for each field.
READ_LINES = f"""
SELECT
    number,
    CASE WHEN {IS_VALID}
        AND record.node_id = node AND record.boot_id = boot
        AND record.arrived_at_us BETWEEN $earliest AND $latest
        THEN key.local_id END AS local_id,
    {_MEASURES}
FROM (
    SELECT *, to_json(record)::VARCHAR AS again
    FROM (
        SELECT number, node, boot, line, TRY(json_transform(line, '{STRUCTURE}')) AS record
        FROM lines JOIN memory.folder USING (folder)
    )
) LEFT JOIN memory.dimension_key AS key ON {_SAME_KEY}
"""
