"""What the Budgets page reads."""

from pathlib import Path

import streamlit as st

from costs.budget import Budget
from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.settings import Settings
from reports.budgets.report import BudgetReport, load_budgets
from store import Filter


def read_budget_report(
    settings: Settings, where: Filter, budgets: tuple[Budget, ...]
) -> BudgetReport | None:
    """Return the month against `budgets`, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    address = Address(where=Filter(simulated=where.simulated))
    return _budget_report(asked(settings, address), budgets, book_key(settings))


@st.cache_data(show_spinner=False, max_entries=8)
def _budget_report(key: Asked, budgets: tuple[Budget, ...], prices: BookKey) -> BudgetReport | None:
    return load_budgets(Path(key.database), kept_book(prices), budgets, now_us(), key.where)
