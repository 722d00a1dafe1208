"""Which week a page reviews: chosen from those that are recorded, and kept in the address."""

from typing import Literal

import streamlit as st

from dashboard import notices
from dashboard.address import put, read_last
from dashboard.url_controls import menu_in_url
from reports.weekly import RecordedWeeks, Week, WeekError

WEEK = "week"
REFUSED = "week_refused"


def choose_week(recorded: RecordedWeeks, now_us: int) -> Week:
    """Draw the choice of a week and return the one that is chosen.

    A link may name any week; what it says badly is told.
    """
    weeks = list(recorded.weeks)
    asked, refusal = _asked(recorded.first)
    if asked not in weeks:
        weeks = sorted([*weeks, asked], reverse=True)
    names = [str(week) for week in weeks]
    place = weeks.index(asked)
    earlier = weeks[place + 1] if place + 1 < len(names) else None
    later = weeks[place - 1] if place else None
    with st.container(horizontal=True, vertical_alignment="center", width="content", gap="xsmall"):
        _step("week-earlier", "Earlier", ":material/chevron_left:", "left", earlier, recorded)
        words = {str(week): _words(week, now_us) for week in weeks}
        menu_in_url(WEEK, names, "Week", words, str(recorded.first))
        _step("week-later", "Later", ":material/chevron_right:", "right", later, recorded)
    if refusal:
        st.session_state[REFUSED] = refusal
    return asked


def draw_refusal() -> None:
    """Say what was wrong with the week that a link asked for, where something was."""
    refusal = st.session_state.pop(REFUSED, None)
    if refusal:
        st.warning(notices.plain(refusal), icon=":material/link_off:")


def _asked(default: Week) -> tuple[Week, str | None]:
    text = read_last(WEEK)
    if text is None:
        return default, None
    try:
        return Week.parse(text), None
    except WeekError as error:
        return default, f"A part of this link is left out: {error}. Shown: {default}."


def _step(
    key: str,
    words: str,
    icon: str,
    side: Literal["left", "right"],
    week: Week | None,
    recorded: RecordedWeeks,
) -> None:
    # Of the week that the page opens with, the address says nothing.
    named = [] if week in (None, recorded.first) else [str(week)]
    st.button(
        words,
        key=key,
        icon=icon,
        icon_position=side,
        type="tertiary",
        disabled=week is None,
        on_click=put,
        args=({WEEK: named},),
    )


def _words(week: Week, now_us: int) -> str:
    running = week.period.from_us <= now_us < week.period.to_us
    return f"{week}, running" if running else f"{week}, from {week.monday:%d %b}"
