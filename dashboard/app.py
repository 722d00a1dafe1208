"""The dashboard: `streamlit run dashboard/app.py [-- --database FILE --prices DIR --targets FILE]`.

A page is a file in dashboard/views and its name here.
"""

from pathlib import Path

import streamlit as st

from dashboard.address import read_address
from dashboard.views import (
    budgets,
    costs,
    finance,
    health,
    latency,
    overview,
    prices,
    requests,
    utilization,
    weekly,
)

PAGES = (
    overview.PAGE,
    costs.PAGE,
    weekly.PAGE,
    budgets.PAGE,
    finance.PAGE,
    latency.PAGE,
    utilization.PAGE,
    requests.PAGE,
    prices.PAGE,
    health.PAGE,
)
SIDEBAR_PX = 220

st.set_page_config(
    page_title="Inference cost",
    # A file of ours: Streamlit would fetch the icon of the first page from another host.
    page_icon=Path(__file__).with_name("icon.svg"),
    layout="wide",
    initial_sidebar_state=SIDEBAR_PX,
)
entries = [page.entry(default=page is PAGES[0]) for page in PAGES]
# Streamlit's own menu leaves the parameters of the address behind: these links take them along.
chosen = st.navigation(entries, position="hidden")
with st.sidebar:
    for entry in entries:
        st.page_link(entry, query_params=read_address().pairs())
chosen.run()
