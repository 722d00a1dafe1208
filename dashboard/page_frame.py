"""What stands above the figures of every page: what of the data is shown, and what is not in it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import streamlit as st

from costs import Machine
from dashboard import notices
from dashboard.clock import reader_zone
from dashboard.provenance import (
    dropped_text,
    stale_text,
    status_html,
    unpriced_bytes_text,
    unpriced_text,
)
from dashboard.tile import tiles_html
from reports import Window
from reports.tile import Tile
from store import Dropped, Period, StoreState


class Shown(Protocol):
    """The stretch that is shown of what is stored, and how long before now it ends."""

    @property
    def state(self) -> StoreState:
        """What is stored."""

    @property
    def period(self) -> Period:
        """What of it is shown."""

    @property
    def stale_us(self) -> int:
        """How long before now the period ends for want of data, 0 where it does not."""


def draw_notices(
    page: str,
    shown: Shown,
    window: Window,
    *,
    dropped: Iterable[Dropped],
    unpriced: Iterable[Machine] = (),
    unpriced_bytes: Sequence[str] = (),
    missing: Callable[[], None] | None = None,
) -> None:
    """Draw what a reader has to know before the figures; `missing` says that a filter hits nothing.

    The container is always there, so that what follows keeps its place when a notice comes or goes.
    """
    with st.container(key=f"{page}-notices"):
        if shown.stale_us:
            notices.stale(stale_text(shown.state, shown.period, window, reader_zone()))
        for sentence in (unpriced_text(unpriced), unpriced_bytes_text(unpriced_bytes)):
            if sentence:
                st.error(notices.plain(sentence), icon=":material/money_off:")
        notices.dropped(dropped_text(dropped))
        if missing is not None:
            missing()


def draw_figures(
    shown: Shown,
    rows: Sequence[Sequence[Tile]],
    title: str,
    *,
    busy: bool,
    scope: str | None = None,
) -> None:
    """Draw the line that says which stretch is shown, and `rows` of tiles called `title`.

    `scope` is a sentence between the two; `busy` says that something newer could not be read.
    """
    st.html(status_html(shown.state, shown.period, reader_zone(), busy=busy))
    notices.scope(scope)
    st.html(tiles_html(rows, title))
