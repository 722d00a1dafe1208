"""What a page says when there is nothing, or not everything, to show.

Names of machines and files come from configuration and data, so they are escaped: as HTML where
they go into HTML, as Markdown where they go into a Streamlit message.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from dashboard.settings import SettingsError
from reports import ReportError
from store import StoreError

LOG = logging.getLogger(__name__)

TO_GET_STARTED = """\
Nothing is shown because nothing {measured}has been stored at `{database}`.
To see figures, run one of these in the project's folder:

```sh
# everything at once: a node, a collector and real requests
make demo

# or each part in its own terminal
python -m inference_node serve --config deploy/demo_node.toml
python -m collectors run --database {database}
python -m inference_node replay --repeat
```

This page looks again every two seconds and fills
by itself.
"""


@contextmanager
def told_to_reader() -> Iterator[None]:
    """Turn any error of the block into one sentence on the page; no traceback gets there."""
    try:
        yield
    except (ReportError, StoreError, SettingsError) as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        LOG.exception("a page failed")
        st.error(
            "This page could not be drawn. The log of the dashboard says why.",
            icon=":material/error:",
        )


def no_data_yet(database: str, *, found: bool, hidden: bool = False) -> None:
    """Say that there is no database, or no fact in it, and how to change that.

    `hidden` says that simulated facts count as none.
    """
    title = "No requests recorded yet" if found else "No database yet"
    st.subheader(title, anchor=False)
    measured = "that was measured " if hidden else ""
    st.markdown(TO_GET_STARTED.format(database=database.replace("`", ""), measured=measured))


def busy() -> None:
    """Say that the picture is not the newest because the collector has the file."""
    st.caption(":material/hourglass_empty: The database is being written to; trying again.")


def stale(text: str) -> None:
    """Say that the figures are not of now."""
    st.warning(plain(text), icon=":material/history:")


def dropped(text: str | None) -> None:
    """Say what nodes lost, where they lost anything."""
    if text:
        st.warning(plain(text), icon=":material/report:")


def no_match() -> None:
    """Say that nothing is wrong but the filter: no request of the window is of it."""
    st.info(
        "No request of this window matches the filter. Choose a longer window, or clear the "
        "filter.",
        icon=":material/filter_list_off:",
    )


def no_machine() -> None:
    """Say that nothing is wrong but the filter: no machine of the window is of it."""
    st.info(
        "No machine that ran in this window matches the filter. Choose a longer window, or clear "
        "the filter.",
        icon=":material/filter_list_off:",
    )


def scope(text: str | None) -> None:
    """Say what a filter does not apply to, where there is one."""
    if text:
        st.html(f'<p class="status scope">{escape(text)}</p>')


def plain(text: str) -> str:
    """Return `text` so that Streamlit's Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~:])", r"\\\1", text)
