"""What the Data health page reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports import HealthReport, Window, load_health

# How old a report may grow while nothing is committed: what it says is of now.
REFRESH_US = 10_000_000


def read_health(settings: Settings, window: Window) -> HealthReport:
    """Return how the data fares. Raises StoreErrors and ReportErrors."""
    return _health(asked(settings, Address(window), every_us=REFRESH_US), book_key(settings))


@st.cache_data(show_spinner=False, max_entries=16)
def _health(key: Asked, prices: BookKey) -> HealthReport:
    catalogue = kept_book(prices).machines
    return load_health(Path(key.database), catalogue, key.window, now_us())
