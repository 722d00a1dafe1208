"""Tables of a page: one height of rows, and as many of them as there is something to show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

ROW_HEIGHT_PX = 30
HEADER_HEIGHT_PX = 38


def draw_table(
    data: "pd.DataFrame | Styler",
    key: str,
    columns: Mapping[str, Any],
    *,
    most_rows: int,
    placeholder: str = "",
) -> None:
    """Draw `data` with `columns` as for st.dataframe; beyond `most_rows` it scrolls.

    `placeholder` stands where a value is missing.
    """
    frame = data if isinstance(data, pd.DataFrame) else data.data  # type: ignore[attr-defined]
    rows = min(most_rows, max(1, len(frame)))
    st.dataframe(
        data,
        key=key,
        hide_index=True,
        placeholder=placeholder,
        height=ROW_HEIGHT_PX * rows + HEADER_HEIGHT_PX,
        row_height=ROW_HEIGHT_PX,
        column_config=dict(columns),
    )
