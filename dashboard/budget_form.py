"""Adding, changing and removing a budget on the page; its file may be edited by hand as well.

What a click does is bound to the budget that was on the screen: where somebody else changed it
meanwhile, nothing is written and the page says so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from costs import Sharing
from costs.budget import IDLE_RULES, USUAL_THRESHOLDS, Budget, BudgetError, Scope
from costs.budget_file import parse_month, parse_thresholds, parse_usd
from costs.month import Month
from dashboard import notices
from dashboard.budget_words import months_words
from dashboard.filter_bar import label_names, values_of
from dashboard.settings import Settings
from reports.budgets.book import BudgetChangedError, add_budget, change_budget, remove_budget

NEW = "A new budget"
SCOPE_WORDS = {
    Scope.EVERYTHING: "Everything",
    Scope.TENANT: "A tenant",
    Scope.MODEL: "A model",
    Scope.LABEL: "A label, such as a team",
}
IDLE_WORDS = {
    Sharing.PROPORTIONAL: "with its share of idle time",
    Sharing.SEPARATE: "direct cost alone",
}
CHOICE = "budget-choice"
# What became of the last click, how many changes there were, each of which empties the fields, and
# the budget that the fields were filled with.
TOLD, ROUND, SEEN = "budget_told", "budget_round", "budget_seen"


def draw_form(settings: Settings, path: Path, budgets: Sequence[Budget]) -> None:
    """Draw the fields for one of `budgets`, or for a new one; `path` is the file they are in."""
    told = st.session_state.pop(TOLD, None)
    if told is not None:
        good, text = told
        message = st.success if good else st.error
        message(notices.plain(text), icon=":material/check:" if good else ":material/error:")
    changes = st.session_state.setdefault(ROUND, 0)
    failed = told is not None and not told[0]
    with st.expander("Add, change or remove a budget", expanded=failed, key="budget-form"):
        choice = f"{CHOICE}-{changes}"
        chosen = st.selectbox(
            "Which",
            [None, *budgets],
            format_func=lambda budget: NEW if budget is None else _called(budget),
            key=choice,
            on_change=_choose,
            args=(choice,),
        )
        # Not as the file has it by now: what the fields show may be older.
        seen: Budget | None = None if chosen is None else st.session_state.get(SEEN)
        key = f"budget-{changes}-{'new' if seen is None else _called(seen)}"
        _fields(settings, seen, key)
        with st.container(horizontal=True):
            st.button(
                "Add" if seen is None else "Save",
                key=f"{key}-save",
                type="primary",
                on_click=_save,
                args=(path, seen, key),
            )
            if seen is not None:
                with st.popover("Remove"):
                    st.button(
                        notices.plain(f"Remove the budget for {_called(seen)}"),
                        key=f"{key}-remove",
                        on_click=_remove,
                        args=(path, seen),
                    )
        st.caption(
            notices.plain(f"Budgets are rows of {path.name}, beside the database.")
            + " Months are like 2026-11; empty: no such end."
        )


def _fields(settings: Settings, seen: Budget | None, key: str) -> None:
    left, right = st.columns(2)
    with left:
        scopes = list(Scope)
        scope = st.selectbox(
            "For",
            scopes,
            index=0 if seen is None else scopes.index(seen.scope),
            format_func=SCOPE_WORDS.__getitem__,
            key=f"{key}-scope",
        )
        by: str = scope.value
        if scope is Scope.LABEL:
            name = _typed(
                "Label", label_names(settings), "" if seen is None else seen.label, f"{key}-label"
            )
            by = f"label:{name}"
        if scope is not Scope.EVERYTHING:
            offered = [value for value in values_of(settings, by) if value]
            _typed("Name", offered, "" if seen is None else seen.value, f"{key}-value")
            st.selectbox(
                "What counts",
                IDLE_RULES,
                index=0 if seen is None else IDLE_RULES.index(seen.idle),
                format_func=IDLE_WORDS.__getitem__,
                key=f"{key}-idle",
            )
    with right:
        st.text_input(
            "USD a month",
            value="" if seen is None else format(seen.usd_per_month, "f"),
            placeholder="1200.00",
            key=f"{key}-usd",
        )
        first, last = st.columns(2)
        with first:
            st.text_input("From", _month(None if seen is None else seen.first), key=f"{key}-from")
        with last:
            st.text_input(
                "To, included", _month(None if seen is None else seen.last), key=f"{key}-to"
            )
        thresholds = USUAL_THRESHOLDS if seen is None else seen.thresholds
        st.text_input(
            "Thresholds, percent", " ".join(map(str, thresholds)), key=f"{key}-thresholds"
        )


def _typed(label: str, offered: Sequence[str], chosen: str, key: str) -> str | None:
    """Draw a choice of what occurs, or of anything typed."""
    options = list(dict.fromkeys([*([chosen] if chosen else []), *offered]))
    found: str | None = st.selectbox(
        label,
        options,
        index=0 if chosen else None,
        accept_new_options=True,
        placeholder="choose or type",
        key=key,
    )
    return found


def _choose(choice: str) -> None:
    st.session_state[SEEN] = st.session_state[choice]


def _save(path: Path, seen: Budget | None, key: str) -> None:
    def value(name: str, otherwise: Any = "") -> Any:
        return st.session_state.get(f"{key}-{name}") or otherwise

    try:
        budget = Budget(
            scope=value("scope"),
            usd_per_month=parse_usd(value("usd").strip()),
            value=value("value").strip(),
            label=value("label").strip(),
            first=parse_month("from", value("from").strip()),
            last=parse_month("to", value("to").strip()),
            thresholds=parse_thresholds(value("thresholds")),
            idle=value("idle", Sharing.PROPORTIONAL),
        )
        if seen is None:
            add_budget(path, budget)
        else:
            change_budget(path, seen, budget)
    except BudgetError as error:
        _failed(f"Not saved: {error}.", error)
    else:
        _done(f"Saved: the budget for {budget.name}.")


def _remove(path: Path, seen: Budget) -> None:
    try:
        remove_budget(path, seen)
    except BudgetError as error:
        _failed(f"Not removed: {error}.", error)
    else:
        _done(f"Removed: the budget for {seen.name}.")


def _failed(text: str, error: BudgetError) -> None:
    st.session_state[TOLD] = False, text
    if isinstance(error, BudgetChangedError):
        # What was typed was typed over something that is not there any more.
        st.session_state[ROUND] += 1


def _done(text: str) -> None:
    st.session_state[TOLD] = True, text
    st.session_state[ROUND] += 1


def _called(budget: Budget) -> str:
    months = months_words(budget)
    return f"{budget.name}, {months}" if months else budget.name


def _month(month: Month | None) -> str:
    return "" if month is None else str(month)
