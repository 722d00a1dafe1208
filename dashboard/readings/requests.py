"""What the Requests page reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports import RequestCosts, load_request_costs


def read_requests(settings: Settings, address: Address, limit: int) -> RequestCosts:
    """Return the latest `limit` requests with their costs. Raises StoreErrors and ReportErrors."""
    return _requests(asked(settings, address), limit, book_key(settings))


@st.cache_data(show_spinner=False, max_entries=16)
def _requests(key: Asked, limit: int, prices: BookKey) -> RequestCosts:
    catalogue = kept_book(prices).machines
    return load_request_costs(Path(key.database), catalogue, limit, key.where, key.window, now_us())
