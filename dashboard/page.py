"""What a page is to the navigation, and the frame around every page."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard.address import enter
from dashboard.notices import told_to_reader
from dashboard.settings import Settings, parse_settings
from dashboard.simulated_mark import mark_nothing


@dataclass(frozen=True)
class Page:
    """One page: `draw` puts it on the screen; `path` is its place in the URL."""

    title: str
    icon: str
    path: str
    draw: Callable[[Settings], None]

    def entry(self, *, default: bool = False) -> StreamlitPage:
        """Return the page as an entry of the navigation; the default page is at the root."""
        return st.Page(
            self.show, title=self.title, icon=self.icon, url_path=self.path, default=default
        )

    def show(self) -> None:
        """Draw the page for the arguments of this process; every error becomes words."""
        enter(self.path)
        mark_nothing()
        with told_to_reader():
            self.draw(parse_settings(sys.argv[1:]))
