"""Adding an action of the weekly review, and changing one."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import streamlit as st

from dashboard import notices
from reports.weekly import (
    Action,
    ActionDraft,
    ActionError,
    Status,
    add_action,
    change_action,
    parse_usd,
)

TOLD, WRITTEN = "action_told", "actions_written"
TWO_WEEKS = timedelta(days=14)


def draw_action_forms(path: Path, actions: Sequence[Action], today: date) -> None:
    """Draw the two forms over the file `path`; what is wrong is told and nothing is written."""
    with st.container(horizontal=True, key="action-forms"):
        # Another key after each success: what is open closes, and what was filled in is empty.
        written = st.session_state.get(WRITTEN, 0)
        with st.popover("Add an action", icon=":material/add:", key=f"action-add-{written}"):
            _form(f"add-{written}", None, today, lambda draft: add_action(path, draft, today))
        if actions:
            with st.popover(
                "Change or close one", icon=":material/edit:", key=f"action-change-{written}"
            ):
                chosen = st.selectbox(
                    "Action",
                    actions,
                    format_func=lambda action: f"{action.id}: {action.title}",
                    key="action-chosen",
                )
                _form(
                    f"change-{chosen.id}-{chosen.changed}-{hash(chosen)}",
                    chosen,
                    today,
                    lambda draft: change_action(path, chosen, draft, today),
                )
    told = st.session_state.pop(TOLD, None)
    if told:
        st.error(notices.plain(told), icon=":material/error:")


def _form(
    key: str, seen: Action | None, today: date, write: Callable[[ActionDraft], object]
) -> None:
    with st.form(key, border=False):
        title = st.text_input("What is to be done", seen.title if seen else "")
        owner = st.text_input("Owner", seen.owner if seen else "")
        due = st.date_input("Due", seen.due if seen else today + TWO_WEEKS)
        amount = f"{seen.saving_usd_per_month:f}" if seen else ""
        saving = st.text_input("Expected to save, USD a month", amount, placeholder="0")
        statuses = list(Status)
        status = seen.status if seen else Status.OPEN
        if seen:
            status = st.selectbox(
                "Status", statuses, statuses.index(status), format_func=lambda one: one.value
            )
        if not st.form_submit_button("Save" if seen else "Add"):
            return
    try:
        usd = parse_usd("saving", saving.strip()) if saving.strip() else Decimal(0)
        write(ActionDraft(title.strip(), owner.strip(), due, usd, status))
    except ActionError as error:
        st.session_state[TOLD] = f"Not saved: {error}."
    else:
        st.session_state[WRITTEN] = st.session_state.get(WRITTEN, 0) + 1
    # Read again, with the table above.
    st.rerun()
