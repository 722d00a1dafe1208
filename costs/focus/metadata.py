"""What FOCUS asks to stand beside a file: who made it, when, and what its columns hold."""

from collections.abc import Mapping

from costs.focus.columns import COLUMNS, FOCUS_VERSION, PRECISION, SCALE, Column, Kind
from costs.focus.text import second_text


def metadata(generator: str, version: str, created_at_us: int) -> Mapping[str, object]:
    """Return the metadata of a file whose newest fact was stored at `created_at_us`.

    The schema's id changes when a column does.
    """
    return {
        "DataGenerator": {"DataGenerator": generator},
        "Schema": {
            "SchemaId": f"{generator}-focus-{FOCUS_VERSION}-{len(COLUMNS)}",
            "FocusVersion": FOCUS_VERSION,
            "CreationDate": second_text(created_at_us),
            "DataGeneratorVersion": version,
            "ColumnDefinition": [_definition(column) for column in COLUMNS],
        },
    }


def _definition(column: Column) -> Mapping[str, object]:
    found: dict[str, object] = {"ColumnName": column.name, "DataType": column.kind.value}
    if column.kind is Kind.DECIMAL:
        found |= {"NumericPrecision": PRECISION, "NumberScale": SCALE}
    elif column.kind is Kind.INTEGER:
        found |= {"NumericPrecision": 19, "NumberScale": 0}
    elif column.kind in (Kind.TEXT, Kind.JSON):
        found |= {"StringEncoding": "UTF-8"}
    if column.name == "Tags":
        found |= {"ProviderTagPrefixes": []}
    return found
