"""The dashboard: `streamlit run dashboard/app.py [-- --database FILE --prices DIR --targets FILE]`.

A page is a file in dashboard/views and its name here.
"""

from pathlib import Path

import streamlit as st

from dashboard.views import overview, requests

PAGES = (overview.PAGE, requests.PAGE)
SIDEBAR_PX = 220

st.set_page_config(
    page_title="Inference cost",
    # A file of ours: Streamlit would fetch the icon of the first page from another host.
    page_icon=Path(__file__).with_name("icon.svg"),
    layout="wide",
    initial_sidebar_state=SIDEBAR_PX,
)
st.navigation([page.entry(default=page is PAGES[0]) for page in PAGES]).run()
