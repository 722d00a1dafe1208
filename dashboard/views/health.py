"""Data health: whether the figures of the other pages can be trusted."""

import streamlit as st

from dashboard import notices
from dashboard.card import Card, draw_cards
from dashboard.charts.commits import lag, lock, stored
from dashboard.charts.over_time import Axis
from dashboard.check import checks_html, verdict_html
from dashboard.clock import reader_zone
from dashboard.filter_bar import draw_head
from dashboard.health_checks import health_checks
from dashboard.health_tables import boots_html, prices_html, reasons_html, rejections_html
from dashboard.kept import kept
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.readings import read_health
from dashboard.settings import Settings
from dashboard.style import page_style, section
from reports import HealthReport, Window

REFRESH_S = 2


def draw(settings: Settings) -> None:
    """Draw the page, then its changing part again every two seconds."""
    page_style()
    address = draw_head("Data health", settings, filters=False)
    _live(settings, address.window, filtered=bool(address.where))


@st.fragment(run_every=REFRESH_S)
def _live(settings: Settings, window: Window, *, filtered: bool) -> None:
    with notices.told_to_reader():
        draw_newest(
            PAGE.path,
            settings,
            window,
            lambda: read_health(settings, window),
            lambda report, busy: _draw(report, settings, window, filtered=filtered, busy=busy),
            live=True,
        )


def _draw(
    report: HealthReport, settings: Settings, window: Window, *, filtered: bool, busy: bool
) -> None:
    zone = reader_zone()
    checks = health_checks(report)
    st.html(verdict_html(checks))
    with st.container(key="health-notices"):
        if filtered:
            notices.scope("The filter does not apply here: this page is about all that is stored.")
        if busy:
            notices.busy()
    st.html(checks_html(checks))
    axis = Axis(report.period, window.step_us, zone)
    cards = kept(
        PAGE.path,
        (settings, window, report.period, zone),
        lambda: [
            Card(
                "commit-lag",
                "Arrival to commit",
                "longest delay",
                lag(report.commits, axis),
                "Longest delay from arrival to commit in seconds, step by step",
            ),
            Card(
                "commit-rate",
                "Stored and rejected",
                "by time of commit",
                stored(report.commits, axis),
                "Records stored and lines rejected per second, step by step",
            ),
            Card(
                "commit-lock",
                "The database file",
                "one writes, or many read",
                lock(report.commits, axis),
                "Longest wait for the file and mean time a commit held it, milliseconds, by step",
            ),
        ],
    )
    draw_cards("health", cards, beside=3)
    with st.container(key="health-tables"):
        section("Rejected lines", "all that are kept; numbers in a reason are written #")
        st.html(reasons_html(report.reasons, zone))
        if report.rejections:
            with st.expander("Newest rejected lines, as they were read"):
                st.html(rejections_html(report.rejections, zone))
        section("Nodes", "what each run left; records are numbered, so a gap is a loss")
        st.html(boots_html(report, zone))
        section("Prices", "of the machines that ran in the window")
        st.html(prices_html(report.prices))


PAGE = Page("Data health", ":material/health_and_safety:", "health", draw)
