"""Overview: what the service costs, how fast it is and how busy the machine is, right now."""

import streamlit as st

from dashboard import notices, provenance
from dashboard.address import Address
from dashboard.clock import reader_zone
from dashboard.filter_bar import draw_head
from dashboard.headline import Headline
from dashboard.newest import draw_newest
from dashboard.overview_charts import draw_charts
from dashboard.page import Page
from dashboard.page_frame import draw_figures, draw_notices
from dashboard.readings import read_overview, read_targets
from dashboard.settings import Settings
from dashboard.slice_headline import SliceHeadline
from dashboard.style import page_style
from reports import Overview, Targets, Window

REFRESH_S = 2


def draw(settings: Settings) -> None:
    """Draw the page, then its changing part again every two seconds."""
    page_style()
    _live(settings, draw_head("Overview", settings, live=True))


@st.fragment(run_every=REFRESH_S)
def _live(settings: Settings, address: Address) -> None:
    with notices.told_to_reader():
        targets = read_targets(settings)
        draw_newest(
            PAGE.path,
            settings,
            address,
            lambda: read_overview(settings, address),
            lambda overview, busy: _draw_overview(
                overview, targets, address.window, settings.database_name, busy=busy
            ),
            live=True,
        )


def _draw_overview(
    overview: Overview, targets: Targets, window: Window, database: str, *, busy: bool
) -> None:
    draw_notices(
        PAGE.path,
        overview,
        window,
        dropped=overview.dropped,
        unpriced=[fleet.machine for fleet in overview.fleets if fleet.price is None],
        missing=notices.no_match if overview.where and not overview.current.requests else None,
    )
    headline = SliceHeadline if overview.sliced else Headline
    rows = headline(overview, targets, overview.step_us).rows()
    draw_figures(overview, rows, f"Figures of the last {window.label}", busy=busy)
    draw_charts(overview, targets, window, database, reader_zone())
    with st.container(key="overview-foot"):
        notices.scope(provenance.scope_text(overview.where))
        st.html(provenance.provenance_html(overview, database))
        rejected = provenance.rejected_text(overview)
        if rejected:
            st.warning(notices.plain(rejected), icon=":material/report:")


PAGE = Page("Overview", ":material/monitoring:", "overview", draw)
