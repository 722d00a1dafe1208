"""Tables of a page: one height of rows, and as many of them as there is something to show."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard.table_csv import download_table

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
    choose: Callable[[int], None] | None = None,
    download: str | None = None,
) -> None:
    """Draw `data` with `columns` as for st.dataframe; beyond `most_rows` it scrolls.

    `placeholder` stands where a value is missing. With `choose` a row can be clicked, and it is
    told the row's number. With `download` it can be had as a CSV file of that name.
    """
    frame = data if isinstance(data, pd.DataFrame) else data.data  # type: ignore[attr-defined]
    rows = min(most_rows, max(1, len(frame)))

    def chosen() -> None:
        for number in st.session_state[key]["selection"]["rows"][:1]:
            if choose is not None:
                choose(number)

    st.dataframe(
        data,
        key=key,
        hide_index=True,
        placeholder=placeholder,
        height=ROW_HEIGHT_PX * rows + HEADER_HEIGHT_PX,
        row_height=ROW_HEIGHT_PX,
        column_config=dict(columns),
        on_select="ignore" if choose is None else chosen,
        selection_mode="single-row",
    )
    if download is not None:
        download_table(frame, key, name=download)
