"""Weekly review: one page, always in the same order, for the people who decide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from html import escape
from typing import TypeVar

import streamlit as st

from costs.budget import Budget, BudgetError
from dashboard import notices
from dashboard.action_forms import draw_action_forms
from dashboard.address import read_address
from dashboard.card import Card, draw_cards
from dashboard.charts.bridge import bridge_chart
from dashboard.charts.weeks_and_months import weeks_and_months
from dashboard.clock import now_us
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.readings import read_recorded_weeks, read_weekly
from dashboard.settings import Settings
from dashboard.simulated_mark import draw_mark
from dashboard.style import page_style, section
from dashboard.tile import tiles_html
from dashboard.week_chooser import choose_week, draw_refusal
from dashboard.weekly_html import MEASURED_WEEKS, actions_html, head_html, movers_html
from reports.budgets.book import budgets_beside, read_budgets
from reports.formatting import instant
from reports.tile import Tile
from reports.weekly import (
    Action,
    ActionError,
    Counted,
    RecordedWeeks,
    Sheet,
    Week,
    WeeklyReview,
    actions_beside,
    last_complete,
    looked_back,
    pdf_trouble,
    read_actions,
    sheet_of,
    to_html,
    to_pdf,
)
from store import DatabaseBusyError, DatabaseMissingError, Filter

Item = TypeVar("Item")
Figure = Callable[[Counted], float | None]

LAST_WEEKS = "weekly_last_weeks"


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    where = Filter(simulated=read_address().where.simulated)
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title("Weekly review", anchor=False, width="stretch")
        recorded = _recorded(settings, where)
        week = None if recorded is None else choose_week(recorded, now_us())
    draw_refusal()
    # Before anything is read: where all of it is hidden, this is the way back.
    shown = week or last_complete(now_us())
    draw_mark(settings, looked_back(shown, shown.period.to_us), where)
    path = actions_beside(settings.database)
    actions = _told(lambda: read_actions(path), "Actions")
    budgets = _told(lambda: read_budgets(budgets_beside(settings.database)), "Budgets")
    known = tuple(actions or ()), tuple(budgets or ())
    draw_newest(
        PAGE.path,
        settings,
        (week, where, known),
        lambda: _read(settings, week, known, where),
        lambda review, busy: _draw(review, busy=busy),
    )
    # What cannot be read is not written to either.
    if actions is not None and week is not None:
        draw_action_forms(path, actions, instant(now_us(), UTC).date())


def _recorded(settings: Settings, where: Filter) -> RecordedWeeks | None:
    """Return the weeks to choose from: the newest, or, while the database is busy, the last ones.

    None where there are none: the page itself says why.
    """
    try:
        found = read_recorded_weeks(settings, where)
    except DatabaseMissingError:
        return None
    except DatabaseBusyError:
        last: RecordedWeeks | None = st.session_state.get(LAST_WEEKS)
        return last
    st.session_state[LAST_WEEKS] = found
    return found


def _read(
    settings: Settings,
    week: Week | None,
    known: tuple[tuple[Action, ...], tuple[Budget, ...]],
    where: Filter,
) -> WeeklyReview | None:
    if week is None:
        recorded = read_recorded_weeks(settings, where)
        if recorded is None:
            return None
        week = recorded.first
    return read_weekly(settings, week, *known, where)


def _told(read: Callable[[], list[Item]], what: str) -> list[Item] | None:
    """Return what `read` returns; where a file is wrong, say why and return None."""
    try:
        return read()
    except (ActionError, BudgetError) as error:
        st.error(notices.plain(f"{what} are left out: {error}."), icon=":material/error:")
        return None


def _draw(review: WeeklyReview, *, busy: bool) -> None:
    sheet = sheet_of(review)
    if busy:
        notices.busy()
    if not review.compares_simulated:
        st.html(MEASURED_WEEKS)
    with st.container(horizontal=True, key="weekly-head"):
        st.html(head_html(sheet))
        _downloads(review)
    tiles = [_narrow(one.tile) for one in sheet.tiles]
    with st.container(key="weekly-tiles"):
        st.html(tiles_html([tiles], f"Figures of {review.week}"))
    _bridge(review, sheet)
    _trends(review)
    with st.container(key="weekly-tables"):
        section("Top movers", "USD; what changed most, up or down, and why")
        st.html(movers_html(sheet))
        # Nothing beside it, where the mark of simulated history would stand: actions are real.
        section("Actions", "")
        st.html(actions_html(sheet))


def _narrow(tile: Tile) -> Tile:
    """Return the tile with its unit above: amounts of money may need all of the width."""
    return replace(tile, label=f"{tile.label}, {tile.unit}", unit="") if tile.unit else tile


def _downloads(review: WeeklyReview) -> None:
    trouble = pdf_trouble()
    with st.container(width="content", horizontal=True, key="weekly-downloads"):
        # Callables: a PDF takes a second, and only who asks for it waits.
        _download(review, "html", "text/html", lambda: to_html(review))
        _download(review, "pdf", "application/pdf", lambda: to_pdf(review), trouble)


def _download(
    review: WeeklyReview,
    kind: str,
    mime: str,
    make: Callable[[], str | bytes],
    trouble: str | None = None,
) -> None:
    st.download_button(
        kind.upper(),
        make,
        f"weekly-review-{review.week}.{kind}",
        mime,
        key=f"weekly-{kind}",
        icon=":material/download:",
        help=trouble,
        disabled=trouble is not None,
        on_click="ignore",
    )


def _bridge(review: WeeklyReview, sheet: Sheet) -> None:
    if review.bridge is None:
        section("From last week to this one", "")
        st.html(f'<p class="status">{escape(sheet.no_bridge)}</p>')
        return
    words = "; ".join(f"{row.name} {row.amount}" for row in sheet.bridge)
    card = Card(
        "week-bridge",
        "From last week to this one",
        "USD; what moved the spend, adding up to the last digit",
        bridge_chart(review.bridge, sheet.bridge),
        f"Spend in USD: {words}",
    )
    draw_cards("week-bridge", [card], beside=1)


def _trends(review: WeeklyReview) -> None:
    simulated = any(one.simulated for one in (*review.weeks, *review.months))
    note = "; hatched: simulated" if simulated else ""

    def card(key: str, title: str, unit: str, figure: Figure, limit: float | None = None) -> Card:
        return Card(
            key,
            title,
            f"six weeks beside twelve months{note}",
            weeks_and_months(review.weeks, review.months, figure, unit, limit),
            f"{title} in {unit}, six weeks beside twelve months",
        )

    cards = [
        card("trend-spend", "Spend", "USD", lambda one: one.spend_usd),
        card("trend-unit-cost", "Cost per 1,000 requests", "USD", lambda one: one.usd_per_1000),
        card(
            "trend-p99", "Latency p99", "ms", lambda one: one.figures.p99_ms, review.p99_target_ms
        ),
    ]
    draw_cards("week-trends", cards, beside=3)


PAGE = Page("Weekly review", ":material/calendar_view_week:", "weekly", draw)
