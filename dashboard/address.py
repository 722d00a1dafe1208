"""What the address of a page says: which window, and which requests and machines.

The address is the truth: controls show what it says and change nothing but it, so a link, a reload
and the browser's back button show exactly what they showed before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import streamlit as st

from reports import WINDOWS, Window
from store import EVERYTHING, Filter, FilterError

WINDOW = "window"
LABELS = {window.label: window for window in WINDOWS}
DEFAULT = WINDOWS[0]
LONGEST_QUOTED = 40
PAGE, DRAWN_ON = "page_drawn", "controls_drawn_on"


@dataclass(frozen=True)
class Address:
    """A window and a filter; `refusals` are sentences about parts of a link that say neither."""

    window: Window = DEFAULT
    where: Filter = EVERYTHING
    refusals: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of a link to the same window and filter on any page."""
        window = [] if self.window == DEFAULT else [(WINDOW, self.window.label)]
        return window + self.where.to_pairs()


def parse_address(pairs: Iterable[tuple[str, str]]) -> Address:
    """Return what the parameters of a link say; what they say badly is left out and told."""
    by_name: dict[str, list[tuple[str, str]]] = {}
    for name, text in pairs:
        by_name.setdefault(name, []).append((name, text))
    refusals: list[str] = []
    accepted: dict[str, Any] = {}
    for name in (field.name for field in fields(Filter)):
        try:
            values = getattr(Filter.from_query(by_name.get(name, ())), name)
        except FilterError as error:
            refusals.append(f"A part of this link is left out: {error}.")
        else:
            accepted[name] = values
    try:
        where = Filter(**accepted)
    except FilterError as error:
        refusals.append(f"The filter of this link is left out: {error}.")
        where = EVERYTHING
    window = DEFAULT
    for _, text in by_name.get(WINDOW, ())[-1:]:
        if text in LABELS:
            window = LABELS[text]
        else:
            quoted = text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}..."
            refusals.append(
                f'This link asks for a window of "{quoted}"; there are {", ".join(LABELS)}. '
                f"Shown: {DEFAULT.label}."
            )
    return Address(window, where, tuple(refusals))


def read_address() -> Address:
    """Return what the address of the page in this browser says."""
    return parse_address(
        (name, text) for name in st.query_params for text in st.query_params.get_all(name)
    )


def read_last(name: str) -> str | None:
    """Return the value of the parameter `name` of the address, None without one."""
    texts = st.query_params.get_all(name)
    return texts[-1] if texts else None


def put(values: dict[str, list[str]]) -> None:
    """Change parameters of the address, one entry of the browser's history in all.

    A parameter without a value leaves the address.
    """
    # An update is told to the browser once. Deleting would be told by parameter, and the back
    # button would then have to be pressed once for each.
    st.query_params.update(values)


def enter(page: str) -> None:
    """Say which page is drawn now. Controls of the same name on another page are others."""
    st.session_state[PAGE] = page


def show(key: str, value: object) -> None:
    """Make the control `key` show `value`, which the address says. Call before it is drawn."""
    page, drawn_on = st.session_state.get(PAGE), st.session_state.setdefault(DRAWN_ON, {})
    # Not every time: a reader quicker than the answer would be set back to the choice before.
    if drawn_on.get(key) != page or st.session_state.get(key) != value:
        st.session_state[key] = value
    drawn_on[key] = page
