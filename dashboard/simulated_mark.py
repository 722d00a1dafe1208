"""What never ran is marked wherever it is shown, and one click hides it or shows it again.

`draw_head` calls `draw_mark` for the window of the address. A page that shows another stretch calls
it by itself, with that stretch.
"""

from html import escape
from typing import Literal

import streamlit as st

from dashboard.address import put
from dashboard.readings import read_simulated
from dashboard.settings import Settings
from reports import SimulatedShown, Window
from reports.formatting import count
from store import Filter, Period, Simulated, StoreError

# The parameter of the address, and what it says where simulated history is hidden.
FIELD, HIDDEN, ONLY = "simulated", ("no",), ("yes",)
REFRESH_S = 10
LAST_READ, PART = "simulated_last_read", "simulated_part"

# Of the figures on a page: some, or all.
Part = Literal["part", "all"]

# On every heading and tile, so that no picture or table is read without it.
_HEADINGS, _TILES = ".stApp h2.section small:not(:empty)", ".stApp .tile:not(.check) h3"
_MARKED = """<style>
%(where)s {
  content: "%(words)s";
  margin-left: 0.45rem;
  padding: 0 0.35rem;
  border: 1px dashed var(--muted);
  border-radius: 0.6rem;
  font-size: 0.68rem;
  font-weight: 400;
  white-space: nowrap;
  color: var(--muted);
}
.stApp .tile:not(.check) h3::after { display: inline-block; text-decoration: none; }
</style>"""


def draw_mark(
    settings: Settings,
    shown: Window | Period,
    where: Filter,
    *,
    live: bool = False,
    compares: bool = True,
) -> None:
    """Say how much of what `where` accepts in `shown` is simulated, and draw the click for it.

    Nothing is drawn where nothing is simulated and nothing hidden. With `live` it looks again by
    itself, for a page that does; one that `compares` tells changes against the window before.
    """
    st.fragment(_draw, run_every=REFRESH_S if live else None)(settings, shown, where, compares)


def mark_figures(part: Part) -> None:
    """Mark every heading and tile of the page, and the tables that it hands out."""
    st.session_state[PART] = part
    words = "simulated" if part == "all" else "+ simulated"
    st.html(_MARKED % {"where": f"{_HEADINGS}::after, {_TILES}::after", "words": words})


def mark_nothing() -> None:
    """Say that nothing on the page that is drawn now is marked yet."""
    st.session_state.pop(PART, None)


def simulated_part() -> Part | None:
    """Return which part of the figures of the page is simulated; None for none of them."""
    part: Part | None = st.session_state.get(PART)
    return part


def mark_text(found: SimulatedShown, where: Filter) -> str | None:
    """Return the sentence for a page that shows of `found` what `where` says; None for none."""
    if not found.shown and found.before and where.simulated != HIDDEN:
        before = _amounts(found.before, of_all=True)
        return f"Measured, but changes are against a time of which {before} never ran."
    return _text(found.shown, where)


def _text(found: Simulated, where: Filter) -> str | None:
    if where.simulated == HIDDEN:
        if not found:
            return "Simulated history is hidden; there is none in this stretch."
        nothing_else = "" if found.measured else "; nothing else is stored of this stretch"
        return f"Simulated history is hidden: {_amounts(found)} are left out{nothing_else}."
    if not found:
        return None
    if where.simulated == ONLY or not found.measured:
        return f"Nothing here was measured: {_amounts(found)} are simulated and never ran."
    return f"Measured and simulated together: {_amounts(found, of_all=True)} never ran."


def _draw(settings: Settings, shown: Window | Period, where: Filter, compares: bool) -> None:
    mark_nothing()
    found = _read(settings, shown, where)
    if not compares:
        found = SimulatedShown(found.shown)
    sentence = mark_text(found, where)
    if sentence is None:
        return
    hidden = where.simulated == HIDDEN
    if not hidden and found.shown:
        mark_figures("part" if found.shown.measured and where.simulated != ONLY else "all")
    elif not hidden:
        # Pictures and tables are of what is shown alone; tiles say how it changed.
        st.html(_MARKED % {"where": f"{_TILES}::after", "words": "against simulated"})
    with st.container(horizontal=True, vertical_alignment="center", key="simulated-mark"):
        st.html(
            '<p class="status"><span class="simulated">simulated</span>'
            f"<span>{escape(sentence)}</span></p>",
            width="content",
        )
        if hidden:
            _switch("Show simulated history", ":material/visibility:", [])
        else:
            _switch("Hide simulated history", ":material/visibility_off:", list(HIDDEN))


def _switch(label: str, icon: str, values: list[str]) -> None:
    if st.button(label, key="simulated-switch", icon=icon):
        put({FIELD: values})
        # The whole page, not this part of it alone.
        st.rerun()


def _read(settings: Settings, shown: Window | Period, where: Filter) -> SimulatedShown:
    """Return what is simulated: the newest, or, while it cannot be read, what was read last."""
    known = st.session_state.setdefault(LAST_READ, {})
    try:
        found = read_simulated(settings, shown, where)
    except StoreError:
        # The page itself says what is wrong with the database.
        last: SimulatedShown = known.get((shown, where), SimulatedShown())
        return last
    st.session_state[LAST_READ] = {(shown, where): found}
    return found


def _amounts(found: Simulated, *, of_all: bool = False) -> str:
    """Return how many requests and machines are simulated, and `of_all` of how many."""
    return " and ".join(
        (
            _amount(found.simulated_requests, found.requests, "request", of_all=of_all),
            _amount(found.simulated_nodes, found.nodes, "machine", of_all=of_all),
        )
    )


def _amount(some: int, every: int, noun: str, *, of_all: bool) -> str:
    amount = f"{count(some)} of {count(every)}" if of_all else count(some)
    return f"{amount} {noun if (every if of_all else some) == 1 else f'{noun}s'}"
