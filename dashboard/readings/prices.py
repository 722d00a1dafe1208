"""What the Prices page reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports.prices import PriceReport, RanMachine, load_ran_machines, price_report
from store import DAY_US, Filter


def read_price_report(settings: Settings) -> PriceReport:
    """Return the prices in force. Raises ReportErrors."""
    # Prices begin, end and age at 00:00 UTC.
    return _price_report(now_us() // DAY_US, book_key(settings))


def read_ran_machines(settings: Settings, address: Address) -> list[RanMachine] | None:
    """Return the machines that ran with their prices now, None when the database holds no fact.

    Of the filter counts only whether simulated runs do. Raises StoreErrors and ReportErrors.
    """
    shown = Address(address.window, Filter(simulated=address.where.simulated))
    return _ran_machines(asked(settings, shown), book_key(settings))


# Not copied for every reader: nobody changes a report.
@st.cache_resource(show_spinner=False, max_entries=4)
def _price_report(day: int, prices: BookKey) -> PriceReport:  # noqa: ARG001 - a part of the key
    return price_report(kept_book(prices), now_us())


@st.cache_data(show_spinner=False, max_entries=16)
def _ran_machines(key: Asked, prices: BookKey) -> list[RanMachine] | None:
    catalogue = kept_book(prices).machines
    return load_ran_machines(Path(key.database), catalogue, key.window, now_us(), key.where)
