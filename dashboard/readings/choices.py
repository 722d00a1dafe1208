"""What a filter can be chosen from."""

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from dashboard.address import Address
from dashboard.filter_words import Label, Value
from dashboard.readings.asked import POLL_WAIT_S, Asked, asked
from dashboard.settings import Settings
from store import Filter, open_reader, read_label_choices
from store import read_choices as read_field_choices


@dataclass(frozen=True)
class Choices:
    """What a filter can be chosen from: values by field, and labels with their values.

    A label with None stands for requests without it.
    """

    fields: dict[str, list[Value]] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)


def read_choices(settings: Settings, where: Filter) -> Choices:
    """Return what a filter can be chosen from. Raises StoreErrors.

    Of `where` counts only whether simulated runs do: what is hidden is not offered.
    """
    address = Address(where=Filter(simulated=where.simulated))
    return _choices(asked(settings, address, every_us=None))


@st.cache_data(show_spinner=False, max_entries=8)
def _choices(key: Asked) -> Choices:
    with open_reader(Path(key.database), wait_s=POLL_WAIT_S) as connection:
        by_field = read_field_choices(connection, key.where)
        by_label = read_label_choices(connection, key.where)
    labels: list[Label] = []
    for name, values in by_label.items():
        labels += [(name, value) for value in values]
        labels.append((name, None))
    return Choices(by_field, labels)
