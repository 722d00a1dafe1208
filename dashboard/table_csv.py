"""A table on the screen as a plain CSV file that no spreadsheet runs.

Streamlit's own download of a table writes names as they are, and tenants name themselves. What a
table has of simulated history is marked in the file, too.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import pandas as pd
import streamlit as st

from costs.focus import formula_safe
from dashboard.simulated_mark import Part, simulated_part

EXACT = "Download CSV, exact decimals"


def table_csv(
    header: Sequence[str], rows: Iterable[Sequence[object]], simulated: Part | None = None
) -> str:
    """Return a table as CSV: texts made safe, numbers as they are, nothing where there is none.

    Decimals keep all their digits and have no exponent. Where `simulated` says which part of the
    figures was made up, a last column says so in each row.
    """
    mark = {} if simulated is None else {"simulated": simulated}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*map(_cell, header), *mark])
    writer.writerows([*map(_cell, row), *mark.values()] for row in rows)
    return out.getvalue()


def frame_csv(frame: pd.DataFrame, simulated: Part | None = None) -> str:
    """Return `frame` without its index, as `table_csv` does."""
    rows = frame.astype(object).where(frame.notna(), None)
    return table_csv([str(name) for name in frame.columns], rows.itertuples(index=False), simulated)


def download_csv(
    make: Callable[[Part | None], str], name: str, key: str, label: str = "Download CSV"
) -> None:
    """Draw a button that hands out `name`.csv, whose text `make` returns.

    It is told which part of the figures on the page is simulated.
    """
    part = simulated_part()
    st.download_button(
        label,
        lambda: make(part),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"{key}-csv",
        on_click="ignore",
    )


def _cell(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return formula_safe(value) if isinstance(value, str) else value
