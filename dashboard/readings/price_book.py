"""The folder of prices, read once for all pages."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from costs import PriceBook
from costs.price_folder import PRICE_FILES
from dashboard.readings.asked import version
from dashboard.settings import Settings
from reports import load_price_book


@dataclass(frozen=True)
class BookKey:
    """A folder of prices as of the last change of each of its files."""

    folder: str
    versions: tuple[int, ...]


def book_key(settings: Settings) -> BookKey:
    """Return what a reading with prices depends on."""
    versions = tuple(version(settings.prices / name) for name in PRICE_FILES)
    return BookKey(str(settings.prices), versions)


# Not copied for every reader as cache_data would do: nobody changes a book.
@st.cache_resource(show_spinner=False, max_entries=4)
def kept_book(key: BookKey) -> PriceBook:
    """Return the book of `key`. Raises ReportErrors."""
    return load_price_book(Path(key.folder))
