"""What quality of service is promised."""

from pathlib import Path

import streamlit as st

from dashboard.readings.asked import version
from dashboard.settings import Settings
from reports import Targets, load_targets

TargetsKey = tuple[str, int]


def read_targets(settings: Settings) -> Targets:
    """Return the promised quality of service. Raises ReportErrors."""
    return kept_targets(targets_key(settings))


def targets_key(settings: Settings) -> TargetsKey:
    """Return what a reading with targets depends on."""
    return str(settings.targets), version(settings.targets)


# Not copied for every reader: nobody changes targets.
@st.cache_resource(show_spinner=False, max_entries=4)
def kept_targets(key: TargetsKey) -> Targets:
    """Return the targets of `key`. Raises ReportErrors."""
    return load_targets(Path(key[0]))
