"""What the Overview page reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports import Overview, load_overview


def read_overview(settings: Settings, address: Address) -> Overview | None:
    """Return the overview of a window up to now, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _overview(asked(settings, address), book_key(settings))


@st.cache_data(show_spinner=False, max_entries=32)
def _overview(key: Asked, prices: BookKey) -> Overview | None:
    catalogue = kept_book(prices).machines
    return load_overview(Path(key.database), catalogue, key.window, now_us(), key.where)
