"""What a filter can be chosen from: every value that occurs."""

from collections.abc import Mapping
from dataclasses import fields

import duckdb

from store.filter import EVERYTHING, MACHINE_FIELDS, Filter, Value
from store.grouping import key_order

_DIMENSIONS = [
    field.name
    for field in fields(Filter)
    if field.name not in ("label", "simulated", *MACHINE_FIELDS)
]


def read_choices(
    connection: duckdb.DuckDBPyConnection, where: Filter = EVERYTHING
) -> dict[str, list[Value]]:
    """Return by field of `Filter` the values that occur on machines of `where`, ascending.

    Labels have choices of their own. None stands last, where something has no value.
    """
    accepted = where.machine_condition()
    choices: dict[str, list[Value]] = {}
    for table, names in (("dimension_set", _DIMENSIONS), ("boot", MACHINE_FIELDS)):
        columns = ", ".join(f"list(DISTINCT {name}), count(*) > count({name})" for name in names)
        [row] = connection.execute(
            f"SELECT {columns} FROM {table} WHERE {accepted.sql}", accepted.bound
        ).fetchall()
        for number, name in enumerate(names):
            values, nulls = row[2 * number : 2 * number + 2]
            present: list[Value] = [value for value in values or [] if value is not None]
            choices[name] = sorted(present, key=lambda v: key_order((v,))) + [None] * nulls
    return choices


def read_label_choices(
    connection: duckdb.DuckDBPyConnection, where: Filter = EVERYTHING
) -> Mapping[str, list[str]]:
    """Return by name of a label the values that occur on machines of `where`, both ascending."""
    accepted = where.machine_condition()
    rows = connection.execute(
        f"""
        SELECT entry.key, list_sort(list(DISTINCT entry.value))
        FROM (
            SELECT unnest(map_entries(labels)) AS entry FROM dimension_set WHERE {accepted.sql}
        )
        GROUP BY entry.key
        ORDER BY entry.key
        """,
        accepted.bound,
    ).fetchall()
    return dict(rows)
