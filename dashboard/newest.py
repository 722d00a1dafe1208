"""The newest reading of a page, or the words that stand in for it."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from dashboard import notices
from dashboard.address import read_address
from dashboard.settings import Settings
from store import DatabaseBusyError, DatabaseMissingError, StoreError

Reading = TypeVar("Reading")

LOOK_AGAIN_S = 2
# The picture that stays while the database is busy, by page; the newest one only.
LAST_SHOWN = "last_shown"


def draw_newest(
    page: str,
    settings: Settings,
    choice: Hashable,
    read: Callable[[], Reading | None],
    draw: Callable[[Reading, bool], None],
    *,
    live: bool = False,
) -> None:
    """Draw what `read` returns; its second argument tells that the database is busy.

    Where there is nothing to read yet (None, or no database) the page says how to get it. While
    the database is busy the last picture for the same `choice` stays. A page that is not `live`,
    drawn again by itself, is drawn again once there is something. Raises the other StoreErrors and
    ReportErrors of `read`.
    """
    shown = st.session_state.setdefault(LAST_SHOWN, {})
    try:
        found = read()
    except DatabaseMissingError:
        _nothing_yet(read, settings, found=False, live=live)
        return
    except DatabaseBusyError:
        if page in shown and shown[page][0] == (settings, choice):
            draw(shown[page][1], True)
        else:
            notices.busy()
        return
    if found is None:
        _nothing_yet(read, settings, found=True, live=live)
        return
    shown[page] = ((settings, choice), found)
    draw(found, False)


def _nothing_yet(
    read: Callable[[], object], settings: Settings, *, found: bool, live: bool
) -> None:
    hidden = found and read_address().where.simulated == ("no",)
    notices.no_data_yet(settings.database_name, found=found, hidden=hidden)
    if not live:
        _look_again(read)


@st.fragment(run_every=LOOK_AGAIN_S)
def _look_again(read: Callable[[], object]) -> None:
    try:
        found = read()
    except StoreError:
        return
    if found is not None:
        st.rerun()
