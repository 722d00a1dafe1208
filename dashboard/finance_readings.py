"""What the Finance page reads, kept until something new was committed or prices changed."""

from pathlib import Path

import streamlit as st

from costs.month import Month
from costs.price_folder import PRICE_FILES
from dashboard.settings import Settings
from reports import load_price_book
from reports.finance import (
    FinancePreview,
    FinanceQuery,
    load_months,
    load_preview,
    load_providers,
)
from reports.finance.loading import PROVIDERS
from store import open_reader, read_commits

ROWS = 12


def read_finance_months(settings: Settings) -> list[Month] | None:
    """Return the months that facts are stored of, newest first; None without any.

    Raises StoreErrors.
    """
    return _months(str(settings.database), _commits(settings.database)) or None


def read_finance_preview(settings: Settings, query: FinanceQuery) -> FinancePreview:
    """Return the beginning of a file. Raises FinanceErrors and StoreErrors."""
    folder = settings.prices
    versions = tuple(_version(folder / name) for name in (*PRICE_FILES, PROVIDERS))
    commits = _commits(settings.database)
    return _preview(str(settings.database), commits, str(folder), versions, query)


def _commits(database: Path) -> int:
    with open_reader(database) as connection:
        return read_commits(connection)


def _version(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(show_spinner=False, max_entries=4)
def _months(database: str, commits: int) -> list[Month]:  # noqa: ARG001 - a part of the key
    return load_months(Path(database))


@st.cache_data(show_spinner="Adding up the charges", max_entries=4)
def _preview(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    folder: str,
    versions: tuple[int, ...],  # noqa: ARG001 - a part of the key
    query: FinanceQuery,
) -> FinancePreview:
    book, declared = load_price_book(Path(folder)), load_providers(Path(folder))
    return load_preview(Path(database), book, declared, query, ROWS)
