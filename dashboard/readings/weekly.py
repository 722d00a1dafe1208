"""What the Weekly review page reads."""

from pathlib import Path

import streamlit as st

from costs.budget import Budget
from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.readings.price_book import BookKey, book_key, kept_book
from dashboard.readings.targets import TargetsKey, kept_targets, targets_key
from dashboard.settings import Settings
from reports.weekly import (
    Action,
    RecordedWeeks,
    Week,
    WeeklyReview,
    load_recorded_weeks,
    load_weekly,
)
from store import HOUR_US, MINUTE_US, Filter


def read_recorded_weeks(settings: Settings, where: Filter) -> RecordedWeeks | None:
    """Return the weeks that can be reviewed, None without a fact. Raises StoreErrors."""
    return _recorded_weeks(asked(settings, Address(where=where), every_us=HOUR_US))


def read_weekly(
    settings: Settings,
    week: Week,
    actions: tuple[Action, ...],
    budgets: tuple[Budget, ...],
    where: Filter,
) -> WeeklyReview | None:
    """Return the review of a week, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    # A week that has ended changes with what is committed alone.
    every_us = None if week.period.to_us <= now_us() else MINUTE_US
    key = asked(settings, Address(where=where), every_us=every_us)
    return _weekly(key, week, actions, budgets, targets_key(settings), book_key(settings))


@st.cache_data(show_spinner=False, max_entries=8)
def _recorded_weeks(key: Asked) -> RecordedWeeks | None:
    return load_recorded_weeks(Path(key.database), now_us(), key.where)


@st.cache_data(show_spinner=False, max_entries=16)
def _weekly(
    key: Asked,
    week: Week,
    actions: tuple[Action, ...],
    budgets: tuple[Budget, ...],
    targets: TargetsKey,
    prices: BookKey,
) -> WeeklyReview | None:
    book = kept_book(prices)
    return load_weekly(
        Path(key.database), book, kept_targets(targets), week, now_us(), actions, budgets, key.where
    )
