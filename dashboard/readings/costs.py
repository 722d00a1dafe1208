"""What the Costs page reads."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from costs import Sharing
from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports.costs import CostBin, CostReport, load_cost_spread, load_costs
from store import Grouping, Key


def read_costs(
    settings: Settings,
    address: Address,
    by: Sequence[Grouping],
    rule: Sharing,
    owner: Key | None = None,
) -> CostReport | None:
    """Return the costs of a window, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _costs(asked(settings, address), tuple(by), rule, owner, book_key(settings))


def read_cost_spread(settings: Settings, address: Address) -> list[CostBin]:
    """Return how unequal the costs of requests are. Raises StoreErrors and ReportErrors."""
    return _cost_spread(asked(settings, address), book_key(settings))


@st.cache_data(show_spinner=False, max_entries=16)
def _costs(
    key: Asked, by: tuple[Grouping, ...], rule: Sharing, owner: Key | None, prices: BookKey
) -> CostReport | None:
    book = kept_book(prices)
    return load_costs(Path(key.database), book, key.window, now_us(), key.where, by, rule, owner)


@st.cache_data(show_spinner=False, max_entries=16)
def _cost_spread(key: Asked, prices: BookKey) -> list[CostBin]:
    catalogue = kept_book(prices).machines
    return load_cost_spread(Path(key.database), catalogue, key.window, now_us(), key.where)
