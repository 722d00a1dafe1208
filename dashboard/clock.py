"""What time it is, and where the reader sits."""

import time
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def now_us() -> int:
    """Return the current time in microseconds, UTC."""
    return time.time_ns() // 1000


def reader_zone() -> tzinfo:
    """Return the time zone of the reader's browser, UTC while it is not known."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
