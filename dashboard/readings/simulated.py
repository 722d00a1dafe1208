"""What the mark of simulated history reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.settings import Settings
from reports import SimulatedShown, Window, load_simulated
from store import MINUTE_US, Filter, Period


def read_simulated(settings: Settings, shown: Window | Period, where: Filter) -> SimulatedShown:
    """Return how much of a window up to now, or of a period, never ran. Raises StoreErrors."""
    every_us = None if isinstance(shown, Period) else MINUTE_US
    return _simulated(asked(settings, Address(where=where), every_us=every_us), shown)


@st.cache_data(show_spinner=False, max_entries=32)
def _simulated(key: Asked, shown: Window | Period) -> SimulatedShown:
    return load_simulated(Path(key.database), shown, now_us(), key.where)
