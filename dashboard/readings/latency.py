"""What the Latency page reads."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.readings.asked import Asked, asked
from dashboard.settings import Settings
from reports import LatencyReport, load_latency
from store import Grouping


def read_latency(
    settings: Settings, address: Address, by: Sequence[Grouping]
) -> LatencyReport | None:
    """Return the latency of a window, None when the database holds no fact. Raises StoreErrors."""
    return _latency(asked(settings, address), tuple(by))


@st.cache_data(show_spinner=False, max_entries=16)
def _latency(key: Asked, by: tuple[Grouping, ...]) -> LatencyReport | None:
    return load_latency(Path(key.database), key.window, now_us(), key.where, by)
