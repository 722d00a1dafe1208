"""What pages read, kept until something new was committed.

Every reading is cached by the commit counter of the database, so a page that asks every two
seconds costs one small query until there is something to show.
"""

from pathlib import Path

import streamlit as st

from costs import Catalogue
from dashboard.clock import now_us
from dashboard.settings import Settings
from reports import (
    Overview,
    RequestCosts,
    Targets,
    Window,
    load_catalogue,
    load_overview,
    load_request_costs,
    load_targets,
)
from store import MINUTE_US, open_reader, read_commits

# A page that polls would rather keep its picture than wait long for the collector.
POLL_WAIT_S = 0.5


def read_overview(settings: Settings, window: Window) -> Overview | None:
    """Return the overview of `window` up to now, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _overview(
        str(settings.database),
        _commits(settings.database),
        window,
        now_us() // MINUTE_US,
        *_file_key(settings.prices / "instances.csv"),
    )


def read_requests(settings: Settings, limit: int) -> RequestCosts:
    """Return the latest `limit` requests with their costs. Raises StoreErrors and ReportErrors."""
    return _requests(
        str(settings.database),
        _commits(settings.database),
        limit,
        *_file_key(settings.prices / "instances.csv"),
    )


def read_targets(settings: Settings) -> Targets:
    """Return the promised quality of service. Raises ReportErrors."""
    return _targets(*_file_key(settings.targets))


def _commits(database: Path) -> int:
    with open_reader(database, wait_s=POLL_WAIT_S) as connection:
        return read_commits(connection)


def _file_key(path: Path) -> tuple[str, int]:
    """Return what a cached reading of `path` depends on; a missing file is told by its reader."""
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return str(path), 0


@st.cache_data(show_spinner=False, max_entries=32)
def _overview(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    window: Window,
    minute: int,  # noqa: ARG001 - a part of the key
    prices: str,
    prices_version: int,
) -> Overview | None:
    catalogue = _catalogue(prices, prices_version)
    return load_overview(Path(database), catalogue, window, now_us())


@st.cache_data(show_spinner=False, max_entries=16)
def _requests(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    limit: int,
    prices: str,
    prices_version: int,
) -> RequestCosts:
    return load_request_costs(Path(database), _catalogue(prices, prices_version), limit)


# Not copied for every reader as cache_data would do: nobody changes a catalogue.
@st.cache_resource(show_spinner=False, max_entries=4)
def _catalogue(path: str, version: int) -> Catalogue:  # noqa: ARG001 - a part of the key
    return load_catalogue(Path(path).parent)


@st.cache_resource(show_spinner=False, max_entries=4)
def _targets(path: str, version: int) -> Targets:  # noqa: ARG001 - a part of the key
    return load_targets(Path(path))
