"""The head of every page: its title, the window, the filter and what the filter says."""

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import notices
from dashboard.address import LABELS, WINDOW, Address, put, read_address, show
from dashboard.breakdown import grouping_words
from dashboard.filter_words import FIELD_WORDS, Value, filter_parts, label_words, value_words
from dashboard.readings import Choices, read_choices
from dashboard.settings import Settings
from dashboard.simulated_mark import draw_mark
from dashboard.url_controls import choice_in_url, menu_in_url
from store import Filter, FilterError, StoreError

REQUEST_FIELDS = ("model", "model_version", "tenant", "label", "priority", "origin")
PLACE_FIELDS = ("pool", "node_id", "region", "instance_type", "purchase_option")
# Offered where there is something to tell apart; a link may name them at any time.
RARE_FIELDS = {"variant": REQUEST_FIELDS, "route": REQUEST_FIELDS, "cloud": PLACE_FIELDS}
# More than anybody reads in a list; any other value can be typed.
MOST_OFFERED = 1_000
LAST_CHOICES = "last_choices"
REFUSED = "filter_refused"
KEY = "filter_{field}"


def draw_head(
    title: str,
    settings: Settings,
    *,
    filters: bool = True,
    live: bool = False,
    compares: bool = True,
) -> Address:
    """Draw the head of the page `title` and return what its address says.

    Without `filters` the page shows no choice of them: they mean nothing there, and are kept for
    the next page. A `live` page shows what is stored meanwhile; one that `compares` tells changes
    against the window before.
    """
    address = read_address()
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title(title, anchor=False, width="stretch")
        choice_in_url(WINDOW, list(LABELS), "Window")
        if filters:
            _panel(settings, address.where)
    # Of simulated history the mark speaks, not a chip.
    chosen = replace(address.where, simulated=())
    if filters and chosen:
        _chips(chosen)
    refused = st.session_state.pop(REFUSED, None)
    for sentence in (*address.refusals, *([refused] if refused else ())):
        st.warning(notices.plain(sentence), icon=":material/link_off:")
    if filters:
        draw_mark(settings, address.window, address.where, live=live, compares=compares)
    return address


def _panel(settings: Settings, where: Filter) -> None:
    choices = _choices(settings)
    with (
        st.popover("Filters", icon=":material/filter_list:", key="filters"),
        st.container(key="filter-panel", gap="small"),
    ):
        left, right = st.columns(2)
        for column, heading, names in (
            (left, "Requests", REQUEST_FIELDS),
            (right, "Where they ran", PLACE_FIELDS),
        ):
            rare = [name for name, place in RARE_FIELDS.items() if place is names]
            with column:
                st.caption(heading)
                for name in names:
                    _field(name, choices, where)
                for name in rare:
                    if getattr(where, name) or len(choices.fields.get(name, ())) > 1:
                        _field(name, choices, where)
        st.caption(
            "Values of one field are alternatives; fields restrict each other. "
            "The address of the page holds the choice: copy it to share what you see."
        )


def _field(name: str, choices: Choices, where: Filter) -> None:
    chosen = list(getattr(where, name))
    offered = choices.labels if name == "label" else choices.fields.get(name, [])
    options: list[Any] = list(offered[:MOST_OFFERED])
    # What a link says counts, whether or not it occurs any more.
    options += [value for value in chosen if value not in options]
    key = KEY.format(field=name)
    show(key, chosen)
    st.multiselect(
        FIELD_WORDS[name],
        options,
        key=key,
        format_func=label_words if name == "label" else value_words,
        accept_new_options=name != "label" and len(offered) > MOST_OFFERED,
        placeholder="all",
        on_change=_choose,
        args=(name,),
    )


def _choose(name: str) -> None:
    values = st.session_state[KEY.format(field=name)]
    try:
        chosen = Filter(**{name: tuple(values)})
    except FilterError as error:
        st.session_state[REFUSED] = f"This choice is left out: {error}."
    else:
        put({name: [text for _, text in chosen.to_pairs()]})


def _chips(where: Filter) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="filter-chips"):
        for part in filter_parts(where):
            st.button(
                notices.plain(part.text),
                key=f"chip-{part.key}",
                icon=":material/close:",
                icon_position="right",
                help="Take this out of the filter",
                on_click=put,
                args=(part.query,),
            )
        st.button(
            "Clear",
            key="clear-filters",
            type="tertiary",
            on_click=put,
            args=(_nothing_of(where),),
        )


def _nothing_of(where: Filter) -> dict[str, list[str]]:
    return {name: [] for name, _ in where.to_pairs()}


def _choices(settings: Settings) -> Choices:
    """Return what to choose from: the newest, or, while it cannot be read, what was read last."""
    try:
        choices = read_choices(settings, read_address().where)
    except StoreError:
        # The page itself says what is wrong with the database.
        last: Choices = st.session_state.get(LAST_CHOICES, Choices())
        return last
    st.session_state[LAST_CHOICES] = choices
    return choices


def values_of(settings: Settings, by: str) -> list[Value]:
    """Return the values that occur of a field, or of a label by `label:` and its name."""
    choices = _choices(settings)
    if by.startswith("label:"):
        return [value for name, value in choices.labels if name == by.removeprefix("label:")]
    return choices.fields.get(by, [])


def label_names(settings: Settings) -> list[str]:
    """Return the names of the labels that occur."""
    return sorted({name for name, _ in _choices(settings).labels})


def grouping_in_url(settings: Settings, label: str) -> str:
    """Draw the menu of what requests can be told apart by, and return the choice."""
    words = grouping_words(label_names(settings))
    return menu_in_url("by", list(words), label, words)
