"""Tables of a page: one height of rows, and as many of them as there is something to show."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard.table_csv import download_csv, frame_csv

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
        selection = st.session_state[key]["selection"]
        # A click on the box before a row, or on any of its cells.
        numbers = [*selection["rows"], *(row for row, _ in selection["cells"])]
        if choose is not None and numbers:
            choose(numbers[0])

    clicks: dict[str, Any] = {}
    if choose is not None:
        clicks = {"on_select": chosen, "selection_mode": ["single-row", "single-cell"]}
    st.dataframe(
        data,
        key=key,
        hide_index=True,
        placeholder=placeholder,
        height=ROW_HEIGHT_PX * rows + HEADER_HEIGHT_PX,
        row_height=ROW_HEIGHT_PX,
        column_config=dict(columns),
        **clicks,
    )
    if download is not None:
        download_csv(lambda part: frame_csv(frame, part), download, key)
