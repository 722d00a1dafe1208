"""Requests: the latest requests one by one, each with how long it took and what it cost."""

import streamlit as st

from dashboard import notices
from dashboard.address import Address
from dashboard.charts.cost_by_latency import cost_by_latency
from dashboard.clock import reader_zone
from dashboard.data_table import draw_table
from dashboard.filter_bar import draw_head
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.page_frame import draw_notices
from dashboard.readings import read_requests
from dashboard.request_table import decimals_for, request_csv, request_frame
from dashboard.settings import Settings
from dashboard.style import CHART_CONFIG, aside, page_style, section
from dashboard.table_csv import EXACT, download_csv
from dashboard.url_controls import choice_in_url, toggle_in_url
from reports import RequestCosts, Window

REFRESH_S = 2
LIMITS = ("100", "500", "1000")
MOST_ROWS_SHOWN = 14

MICRO_USD = "\N{MICRO SIGN}USD"
HOW_COST_IS_DERIVED = """\
**Direct cost** is the machine time that the request owns, at the price of the machine:

`price per hour / workers ready x compute time x items / batch size`

A worker of a machine with *n* workers ready is 1/*n* of it, and requests that execute in one batch
share its compute time. An answer from the cache and a refused request own none. **Fully loaded
cost** adds a share of what the machines of the filter stood idle in the minutes in which the listed
requests arrived, in proportion to direct cost among all their requests, so it falls as they get
busier. A cost is empty while the machine time of
its minute is not reported yet, or where its machine has no price. A row of route *shadow* or
*cascade attempt* is what a version executed on behalf of another request: it has a cost and is no
request. 1 \N{MICRO SIGN}USD is a millionth of a dollar.
"""


def draw(settings: Settings) -> None:
    """Draw the page; it changes by itself only while the reader asks for it."""
    page_style()
    address = draw_head("Requests", settings, compares=False)
    with st.container(horizontal=True, vertical_alignment="center", key="requests-choices"):
        aside("Latest")
        limit = choice_in_url("latest", LIMITS, "Latest")
        live = toggle_in_url("live", "Refresh every 2 s")
    table = st.fragment(_table, run_every=REFRESH_S if live else None)
    table(settings, address, int(limit))


def _table(settings: Settings, address: Address, limit: int) -> None:
    def read() -> RequestCosts | None:
        found = read_requests(settings, address, limit)
        return found if found.shown else None

    with notices.told_to_reader():
        draw_newest(
            PAGE.path,
            settings,
            (address, limit),
            read,
            lambda found, busy: _draw_requests(found, address.window, busy=busy),
        )


def _draw_requests(found: RequestCosts, window: Window, *, busy: bool) -> None:
    zone = reader_zone()
    if found.shown:
        draw_notices(
            PAGE.path,
            found.shown,
            window,
            dropped=found.dropped,
            unpriced=found.unpriced,
            missing=notices.no_match if found.where and not found.rows else None,
        )
    frame = request_frame(found.rows, zone)
    direct = f"%.{decimals_for(frame['direct'].dropna())}f"
    loaded = f"%.{decimals_for(frame['fully_loaded'].dropna())}f"
    number = st.column_config.NumberColumn
    draw_table(
        frame,
        "requests-table",
        {
            "time": st.column_config.DatetimeColumn(
                "Time", format="YYYY-MM-DD HH:mm:ss.SSS", help=f"Arrival, {zone}"
            ),
            "model": st.column_config.TextColumn("Model", help="name@version (variant)"),
            "tenant": "Tenant",
            "priority": "Priority",
            "result": st.column_config.TextColumn("Status", help="HTTP status and error code"),
            "cache": st.column_config.TextColumn("Cache", help="miss: the model was executed"),
            "route": st.column_config.TextColumn(
                "Route",
                help="direct: the version asked for, or the default; split: chosen by an A/B test; "
                "cascade attempt and shadow: executed on behalf of another request",
            ),
            "origin": st.column_config.TextColumn(
                "Origin", help="simulated: made up, it never ran; replay: sent by the replay client"
            ),
            "batch": number("Batch", help="Items executed together; empty where none was"),
            "queue_ms": number("Queue ms", format="%.2f", help="Arrival to dispatch"),
            "compute_ms": number("Compute ms", format="%.2f", help="Execution of the batch"),
            "total_ms": number("Total ms", format="%.2f", help="Arrival to ready response"),
            "direct": number(
                f"Direct {MICRO_USD}", format=direct, help="Machine time that the request owns"
            ),
            "fully_loaded": number(
                f"Fully loaded {MICRO_USD}",
                format=loaded,
                help="Direct cost and its share of the idle cost of these minutes",
            ),
        },
        most_rows=MOST_ROWS_SHOWN,
    )
    with st.container(horizontal=True, vertical_alignment="center", key="requests-actions"):
        # Each row says its origin.
        download_csv(lambda _: request_csv(found.rows), "requests", "requests", EXACT)
        if busy:
            notices.busy()
    with st.container(key="requests-charts"):
        left, right = st.columns(2)
    with left, st.container(border=True, key="cost-by-latency"):
        section("Cost by latency", "requests that share a batch share its cost")
        st.plotly_chart(
            cost_by_latency(found.rows),
            key="cost-by-latency-chart",
            config=CHART_CONFIG,
            alt="Direct cost of each listed request against its total time",
        )
    with right, st.container(border=True, key="how-cost-is-derived"):
        section("How cost is derived", "")
        st.markdown(HOW_COST_IS_DERIVED)


PAGE = Page("Requests", ":material/receipt_long:", "requests", draw)
