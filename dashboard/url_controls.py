"""Controls that show and change one parameter of the page's address."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address import put, read_last, show

ON = "true"
LONGEST_TEXT = 100


def choice_in_url(name: str, options: Sequence[str], label: str) -> str:
    """Draw a choice of one of `options` and return it: the first where the address has none."""
    chosen = _shown(name, options, options[0])
    st.segmented_control(
        label,
        options,
        required=True,
        key=name,
        label_visibility="collapsed",
        on_change=_choose,
        args=(name, options[0]),
    )
    return chosen


def menu_in_url(
    name: str,
    options: Sequence[str],
    label: str,
    words: dict[str, str],
    default: str | None = None,
) -> str:
    """Draw a menu of `options`, each called as in `words`, and return the one chosen.

    `default`, or else the first, where the address has none of them.
    """
    default = options[0] if default is None else default
    chosen = _shown(name, options, default)
    st.selectbox(
        label,
        options,
        key=name,
        format_func=lambda option: words.get(option, option),
        label_visibility="collapsed",
        on_change=_choose,
        args=(name, default),
        width=220,
    )
    return chosen


def text_in_url(name: str, label: str, placeholder: str) -> str:
    """Draw a line to type in and return what it says, nothing where the address has nothing."""
    text = (read_last(name) or "")[:LONGEST_TEXT]
    show(name, text)
    st.text_input(
        label,
        key=name,
        max_chars=LONGEST_TEXT,
        placeholder=placeholder,
        label_visibility="collapsed",
        on_change=_type,
        args=(name,),
        width=320,
    )
    return text


def toggle_in_url(name: str, label: str) -> bool:
    """Draw a switch, off where the address does not say otherwise, and return its state."""
    on = read_last(name) == ON
    show(name, on)
    st.toggle(label, key=name, on_change=_switch, args=(name,))
    return on


def _shown(name: str, options: Sequence[str], default: str) -> str:
    """Show what the address has of `options`, or else `default`, and return it."""
    found = read_last(name)
    chosen = default if found is None or found not in options else found
    show(name, chosen)
    return chosen


def _choose(name: str, default: str) -> None:
    value = st.session_state[name]
    put({name: [] if value in (None, default) else [value]})


def _type(name: str) -> None:
    text = st.session_state[name].strip()
    put({name: [text] if text else []})


def _switch(name: str) -> None:
    put({name: [ON] if st.session_state[name] else []})
