"""What the Utilisation page reads."""

from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.settings import Settings
from reports import UtilizationReport, load_utilization


def read_utilization(settings: Settings, address: Address) -> UtilizationReport | None:
    """Return the utilisation of a window, None when the database holds no fact.

    Raises StoreErrors.
    """
    return _utilization(asked(settings, address))


@st.cache_data(show_spinner=False, max_entries=16)
def _utilization(key: Asked) -> UtilizationReport | None:
    return load_utilization(Path(key.database), key.window, now_us(), key.where)
