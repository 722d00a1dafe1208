"""The columns are those of FOCUS 1.2, in order, and ours come after them."""

import re
from collections import Counter

from costs.focus import (
    COLUMNS,
    FOCUS_COLUMNS,
    HEADER,
    SUBCATEGORIES,
    Column,
    Kind,
    Row,
    is_subcategory,
    metadata,
)


def test_focus_1_2_has_57_columns_in_alphabetical_order() -> None:
    names = [column.name for column in FOCUS_COLUMNS]
    assert len(names) == len(set(names)) == 57
    assert names == sorted(names)


def test_columns_have_the_types_of_the_specification() -> None:
    kinds = Counter(column.kind for column in FOCUS_COLUMNS)
    assert kinds == {Kind.TEXT: 39, Kind.DECIMAL: 12, Kind.INSTANT: 4, Kind.JSON: 2}


def test_columns_of_ours_come_last_and_say_so_in_pascal_case() -> None:
    own = HEADER[57:]
    assert own
    assert all(re.fullmatch("x_([A-Z][a-z]+)+", name) for name in own)
    assert not any(name.startswith("x_") for name in HEADER[:57])


def test_a_row_has_a_field_for_each_column_in_their_order() -> None:
    assert Row.__struct_fields__ == tuple(column.field for column in COLUMNS)
    assert Column("SkuPriceDetails").field == "sku_price_details"
    assert Column("x_IsIdle").field == "x_is_idle"


def test_a_subcategory_belongs_under_its_own_parent_only() -> None:
    assert len(SUBCATEGORIES) == 19
    # Those of the specification are 82, one for what is none of them in each of 18 categories
    # included; the 19th, Multicloud, has its own among them.
    assert sum(map(len, SUBCATEGORIES.values())) + len(SUBCATEGORIES) == 82
    assert is_subcategory("Virtual Machines", "Compute")
    assert is_subcategory("Generative AI", "AI and Machine Learning")
    assert is_subcategory("Other (Other)", "Other")
    assert not is_subcategory("Virtual Machines", "Storage")
    assert not is_subcategory("Other (Storage)", "Compute")
    assert not is_subcategory("Virtual Machines", "Computing")


def test_metadata_define_every_column_and_have_no_clock() -> None:
    found = metadata("inference-cost", "0.1.0", 1_788_220_800_999_999)
    schema = found["Schema"]
    assert isinstance(schema, dict)
    assert schema["CreationDate"] == "2026-09-01T00:00:00Z"
    assert schema["FocusVersion"] == "1.2"
    assert [c["ColumnName"] for c in schema["ColumnDefinition"]] == list(HEADER)
    cost = schema["ColumnDefinition"][1]
    assert cost == {
        "ColumnName": "BilledCost",
        "DataType": "Decimal",
        "NumericPrecision": 30,
        "NumberScale": 12,
    }
