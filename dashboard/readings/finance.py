"""What the Finance page reads."""

from pathlib import Path

import streamlit as st

from costs.month import Month
from dashboard.readings.asked import Asked, asked, version
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports.finance import (
    FinancePreview,
    FinanceQuery,
    load_months,
    load_preview,
    load_providers,
)
from reports.finance.loading import PROVIDERS

ROWS = 12


def read_finance_months(settings: Settings) -> list[Month] | None:
    """Return the months that facts are stored of, newest first; None without any.

    Raises StoreErrors.
    """
    return _months(asked(settings, every_us=None)) or None


def read_finance_preview(settings: Settings, query: FinanceQuery) -> FinancePreview:
    """Return the beginning of a file. Raises FinanceErrors, ReportErrors and StoreErrors."""
    declared = version(settings.prices / PROVIDERS)
    return _preview(asked(settings, every_us=None), book_key(settings), declared, query)


@st.cache_data(show_spinner=False, max_entries=4)
def _months(key: Asked) -> list[Month]:
    return load_months(Path(key.database))


@st.cache_data(show_spinner="Adding up the charges", max_entries=4)
def _preview(
    key: Asked,
    prices: BookKey,
    declared: int,  # noqa: ARG001 - a part of the key
    query: FinanceQuery,
) -> FinancePreview:
    providers = load_providers(Path(prices.folder))
    return load_preview(Path(key.database), kept_book(prices), providers, query, ROWS)
