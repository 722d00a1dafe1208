"""FOCUS 1.2, the format of finance files: columns, rows, rules, and rows as text."""

from costs.focus.columns import COLUMNS, FOCUS_COLUMNS, FOCUS_VERSION, HEADER, Column, Kind
from costs.focus.csv_lines import BOM, cells, csv_bytes, formula_safe_cells, header_bytes
from costs.focus.errors import FocusError
from costs.focus.file_rules import FileCheck
from costs.focus.metadata import metadata
from costs.focus.row import Row, order_of
from costs.focus.rules import RowCheck
from costs.focus.services import SUBCATEGORIES, is_subcategory
from costs.focus.shape_rules import IDLE_APP
from costs.focus.text import (
    ascii_name,
    decimal_text,
    formula_safe,
    instant_text,
    json_text,
    own_name,
    second_text,
)

__all__ = [
    "BOM",
    "COLUMNS",
    "FOCUS_COLUMNS",
    "FOCUS_VERSION",
    "HEADER",
    "IDLE_APP",
    "SUBCATEGORIES",
    "Column",
    "FileCheck",
    "FocusError",
    "Kind",
    "Row",
    "RowCheck",
    "ascii_name",
    "cells",
    "csv_bytes",
    "decimal_text",
    "formula_safe",
    "formula_safe_cells",
    "header_bytes",
    "instant_text",
    "is_subcategory",
    "json_text",
    "metadata",
    "order_of",
    "own_name",
    "second_text",
]
