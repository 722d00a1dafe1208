"""What never ran is marked wherever it is shown, and one click hides it or shows it again.

`draw_head` calls `draw_mark` for the window of the address. A page that shows another stretch calls
it by itself, with that stretch.
"""

from html import escape

import streamlit as st

from dashboard.address import put
from dashboard.readings import read_simulated
from dashboard.settings import Settings
from reports import Window
from reports.formatting import count
from store import Filter, Period, Simulated, StoreError

# The parameter of the address, and what it says where simulated history is hidden.
FIELD, HIDDEN, ONLY = "simulated", ("no",), ("yes",)
REFRESH_S = 10
LAST_READ = "simulated_last_read"

# On every heading and tile, so that no picture or table is read without it.
_MARKED_FIGURES = """<style>
.stApp h2.section small:not(:empty)::after, .stApp .tile:not(.check) h3::after {
  content: "%s";
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
    settings: Settings, shown: Window | Period, where: Filter, *, live: bool = False
) -> None:
    """Say how much of what `where` accepts in `shown` is simulated, and draw the click for it.

    Nothing is drawn where nothing is simulated and nothing hidden. With `live` it looks again by
    itself, for a page that does.
    """
    st.fragment(_draw, run_every=REFRESH_S if live else None)(settings, shown, where)


def mark_text(found: Simulated, where: Filter) -> str | None:
    """Return the sentence for a page that shows of `found` what `where` says; None for none."""
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


def _draw(settings: Settings, shown: Window | Period, where: Filter) -> None:
    found = _read(settings, shown, where)
    sentence = mark_text(found, where)
    if sentence is None:
        return
    hidden = where.simulated == HIDDEN
    if not hidden:
        words = "+ simulated" if found.measured and not where.simulated else "simulated"
        st.html(_MARKED_FIGURES % words)
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


def _read(settings: Settings, shown: Window | Period, where: Filter) -> Simulated:
    """Return what is simulated: the newest, or, while it cannot be read, what was read last."""
    known = st.session_state.setdefault(LAST_READ, {})
    try:
        found = read_simulated(settings, shown, where)
    except StoreError:
        # The page itself says what is wrong with the database.
        last: Simulated = known.get((shown, where), Simulated())
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
