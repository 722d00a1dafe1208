"""Overview: what the service costs, how fast it is and how busy the machine is, right now."""

import streamlit as st

from dashboard import notices, provenance
from dashboard.clock import reader_zone
from dashboard.headline import Headline
from dashboard.newest import draw_newest
from dashboard.overview_charts import draw_charts
from dashboard.page import Page
from dashboard.readings import read_overview, read_targets
from dashboard.settings import Settings
from dashboard.style import page_style
from dashboard.tile import tiles_html
from reports import WINDOWS, Overview, Targets, Window

REFRESH_S = 2
LABELS = {window.label: window for window in WINDOWS}


def draw(settings: Settings) -> None:
    """Draw the page, then its changing part again every two seconds."""
    page_style()
    with st.container(horizontal=True, vertical_alignment="center", key="overview-head"):
        st.title("Overview", anchor=False, width="stretch")
        label = st.segmented_control(
            "Window",
            list(LABELS),
            default=WINDOWS[0].label,
            required=True,
            key="window",
            bind="query-params",
            label_visibility="collapsed",
        )
    _live(settings, LABELS[label or WINDOWS[0].label])


@st.fragment(run_every=REFRESH_S)
def _live(settings: Settings, window: Window) -> None:
    with notices.told_to_reader():
        targets = read_targets(settings)
        draw_newest(
            PAGE.path,
            settings,
            window,
            lambda: read_overview(settings, window),
            lambda overview, busy: _draw_overview(
                overview, targets, window, settings.database_name, busy=busy
            ),
        )


def _draw_overview(
    overview: Overview, targets: Targets, window: Window, database: str, *, busy: bool
) -> None:
    zone = reader_zone()
    # Always there, so that what follows keeps its place when a notice comes or goes.
    with st.container(key="overview-notices"):
        if overview.stale_us:
            text = provenance.stale_text(overview, window.label, zone)
            st.warning(notices.plain(text), icon=":material/history:")
        unpriced = provenance.unpriced_text(
            fleet.machine for fleet in overview.fleets if fleet.price is None
        )
        if unpriced:
            st.error(notices.plain(unpriced), icon=":material/money_off:")
        dropped = provenance.dropped_text(overview.dropped)
        if dropped:
            st.warning(notices.plain(dropped), icon=":material/report:")
    st.html(provenance.status_html(overview, zone, busy=busy))
    rows = Headline(overview, targets, window.step_us).rows()
    st.html(tiles_html(rows, f"Figures of the last {window.label}"))
    draw_charts(overview, targets, window, database, zone)
    with st.container(key="overview-foot"):
        st.html(provenance.provenance_html(overview, database))
        rejected = provenance.rejected_text(overview)
        if rejected:
            st.warning(notices.plain(rejected), icon=":material/report:")


PAGE = Page("Overview", ":material/monitoring:", "overview", draw)
