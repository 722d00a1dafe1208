"""A table on the screen as a plain CSV file that no spreadsheet runs.

Streamlit's own download of a table writes names as they are, and tenants name themselves.
"""

import csv
import io
from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from costs.focus import formula_safe


def table_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV: texts made safe, numbers as they are, nothing where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def frame_csv(frame: pd.DataFrame) -> str:
    """Return `frame` without its index, as `table_csv` does."""
    rows = frame.astype(object).where(frame.notna(), None)
    return table_csv([str(name) for name in frame.columns], rows.itertuples(index=False))


def download_table(frame: pd.DataFrame, key: str, *, name: str) -> None:
    """Draw a button that hands out `frame` as `name`.csv."""
    st.download_button(
        "Download CSV",
        lambda: frame_csv(frame),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"{key}-csv",
        on_click="ignore",
    )


def _cell(value: object) -> object:
    return formula_safe(value) if isinstance(value, str) else value
