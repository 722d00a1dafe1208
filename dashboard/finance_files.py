"""Writing the files of the Finance page, and handing them out."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.settings import Settings
from reports import load_price_book
from reports.finance import (
    FinanceQuery,
    NamedBill,
    charge_source,
    load_providers,
    write_files,
)
from reports.formatting import byte_size

# What a browser is handed goes through memory; more than this is for the command line.
MOST_BYTES = 200 * 2**20
KEPT = "finance_files"
WORDS = {
    ".csv": ("FOCUS 1.2 (CSV)", ":material/table:", "text/csv"),
    "-excel.csv": ("For spreadsheets (CSV)", ":material/grid_on:", "text/csv"),
    "-reconciliation.json": ("Reconciliation", ":material/fact_check:", "application/json"),
    "-metadata.json": ("Metadata", ":material/description:", "application/json"),
}


@dataclass(frozen=True)
class Prepared:
    """Files that were written for a reader of the page; they go when the next ones come.

    `committed_at_us` is when the newest fact in them was stored.
    """

    query: FinanceQuery
    bill: NamedBill | None
    folder: Path
    reconciliation: Mapping[str, Any]
    committed_at_us: int

    def path(self, end: str) -> Path:
        """Return the file whose name ends in `end`."""
        return self.folder / f"{self.query.name}{end}"


def prepared(query: FinanceQuery, bill: NamedBill | None) -> Prepared | None:
    """Return what was written for `query` and `bill` in this session, None if nothing."""
    found: Prepared | None = st.session_state.get(KEPT)
    if found is None or (found.query, found.bill) != (query, bill):
        return None
    return found


def prepare(settings: Settings, query: FinanceQuery, bill: NamedBill | None) -> None:
    """Write the files of `query`, with the progress on the page.

    Raises FinanceErrors and StoreErrors.
    """
    book, declared = load_price_book(settings.prices), load_providers(settings.prices)
    period = query.period
    folder = Path(tempfile.mkdtemp(prefix="finance-files-"))
    bar = st.progress(0.0, "Writing the files")

    def told(rows: int, at_us: int) -> None:
        done = min(1.0, max(0.0, (at_us - period.from_us) / period.length_us))
        bar.progress(done, f"{rows:,} rows")

    try:
        with charge_source(settings.database, book, declared, query) as source:
            found = write_files(source, folder, excel=True, bill=bill, progress=told)
            committed_at_us = source.facts.completeness.state.committed_at_us
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        bar.empty()
    kept = Prepared(query, bill, folder, found.reconciliation.as_json(), committed_at_us)
    # With the session, or with the next files, these go.
    weakref.finalize(kept, shutil.rmtree, folder, ignore_errors=True)
    st.session_state[KEPT] = kept


def draw_downloads(files: Prepared) -> None:
    """Draw a button for each file."""
    with st.container(horizontal=True, key="finance-downloads"):
        for end, (words, icon, kind) in WORDS.items():
            path = files.path(end)
            size = path.stat().st_size
            st.download_button(
                f"{words}, {byte_size(size)}",
                path.read_bytes if size <= MOST_BYTES else b"",
                file_name=path.name,
                mime=kind,
                icon=icon,
                key=f"finance-download{end}",
                on_click="ignore",
                disabled=size > MOST_BYTES,
                help=None if size <= MOST_BYTES else "Too large for a browser: see the command",
            )
