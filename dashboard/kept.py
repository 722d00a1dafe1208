"""Charts that are drawn anew only on occasion.

Streamlit builds a plotly chart anew, and the screen blinks, whenever anything in its figure
changed. On a page that refreshes every two seconds a chart of minutes is as good with every minute.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

Drawn = TypeVar("Drawn")

KEPT = "kept_charts"


def kept(page: str, occasion: Hashable, draw: Callable[[], Drawn]) -> Drawn:
    """Return what `draw` returned for the last `occasion` of `page`, if that was the same one."""
    pages = st.session_state.setdefault(KEPT, {})
    if page in pages and pages[page][0] == occasion:
        found: Drawn = pages[page][1]
        return found
    drawn = draw()
    pages[page] = (occasion, drawn)
    return drawn
