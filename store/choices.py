"""What a filter can be chosen from: every value that occurs."""

from collections.abc import Mapping
from dataclasses import fields

import duckdb

from store.filter import MACHINE_FIELDS, Filter, Value
from store.grouping import key_order

_DIMENSIONS = [
    field.name
    for field in fields(Filter)
    if field.name not in ("label", "simulated", *MACHINE_FIELDS)
]


def read_choices(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Value]]:
    """Return by field of `Filter`, other than `label`, the values that occur, ascending.

    None stands last, where something has no value.
    """
    choices: dict[str, list[Value]] = {}
    for table, names in (("dimension_set", _DIMENSIONS), ("boot", MACHINE_FIELDS)):
        columns = ", ".join(f"list(DISTINCT {name}), count(*) > count({name})" for name in names)
        [row] = connection.execute(f"SELECT {columns} FROM {table}").fetchall()
        for number, name in enumerate(names):
            values, nulls = row[2 * number : 2 * number + 2]
            present: list[Value] = [value for value in values or [] if value is not None]
            choices[name] = sorted(present, key=lambda v: key_order((v,))) + [None] * nulls
    return choices


def read_label_choices(connection: duckdb.DuckDBPyConnection) -> Mapping[str, list[str]]:
    """Return by name of a label the values that occur, both ascending."""
    rows = connection.execute(
        """
        SELECT entry.key, list_sort(list(DISTINCT entry.value))
        FROM (SELECT unnest(map_entries(labels)) AS entry FROM dimension_set)
        GROUP BY entry.key
        ORDER BY entry.key
        """
    ).fetchall()
    return dict(rows)
