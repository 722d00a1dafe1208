"""How every page looks beyond Streamlit's theme: its style sheet, headings and chart controls."""

from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from reports import palette

CHART_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}

_SHEETS = [Path(__file__).with_name(name) for name in ("page.css", "tile.css", "week.css")]


def page_style() -> None:
    """Put the style sheets on the page; they take no room."""
    inks = {"better": palette.BETTER, "worse": palette.WORSE, "muted": palette.MUTED}
    variables = "".join(f"--{name}: {ink.css};" for name, ink in inks.items())
    sheets = "\n".join(sheet.read_text(encoding="utf-8") for sheet in _SHEETS)
    st.html(f"<style>.stApp {{{variables} --mark: {palette.BLUE};}}\n{sheets}</style>")


def aside(words: str) -> None:
    """Write a few words beside a control."""
    st.html(f'<span class="aside">{escape(words)}</span>', width="content")


def section(title: str, explanation: str) -> None:
    """Write the heading of a part of a page, with its explanation on the same line."""
    st.html(f'<h2 class="section">{escape(title)} <small>{escape(explanation)}</small></h2>')
