"""Budgets: what the month will cost, whether that was agreed, and what was not as usual."""

from datetime import UTC
from html import escape
from pathlib import Path

import streamlit as st

from costs.budget import Budget, BudgetError, BudgetStatus
from dashboard import notices
from dashboard.address import read_address
from dashboard.budget_form import draw_form
from dashboard.budget_tables import anomalies_html, budgets_html, others_html, past_html
from dashboard.budget_tiles import budget_tiles
from dashboard.budget_words import score_words
from dashboard.card import Card, draw_cards
from dashboard.charts.month_outlook import month_outlook
from dashboard.charts.usual_range import usual_range
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.provenance import unpriced_text
from dashboard.readings import read_budget_report
from dashboard.settings import Settings
from dashboard.simulated_mark import draw_mark
from dashboard.style import page_style, section
from dashboard.tile import tiles_html
from dashboard.url_controls import menu_in_url
from reports import WINDOWS
from reports.budgets.book import budgets_beside, read_budgets
from reports.budgets.report import BudgetReport
from reports.formatting import count, instant, percent, span

EVERYTHING = "everything"
INSTANT = "%d %b %Y, %H:%M UTC"


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    address = read_address()
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title("Budgets", anchor=False, width="stretch")
    path = budgets_beside(settings.database)
    budgets = _budgets(path)
    known = tuple(budgets or ())
    mark = st.container(key="budget-mark")
    drawn: list[BudgetReport] = []

    def draw_report(report: BudgetReport, busy: bool) -> None:
        drawn.append(report)
        with mark:
            draw_mark(settings, report.period, address.where)
        _draw(report, busy=busy)

    draw_newest(
        PAGE.path,
        settings,
        (address.where.simulated, known),
        lambda: read_budget_report(settings, address.where, known),
        draw_report,
    )
    if not drawn and address.where.simulated:
        # What hides everything has to be seen, and to be undone.
        with mark:
            draw_mark(settings, WINDOWS[-1], address.where)
    if budgets is not None:
        draw_form(settings, path, budgets)


def _budgets(path: Path) -> list[Budget] | None:
    """Return the budgets; where their file cannot be read, say why and return None."""
    try:
        return read_budgets(path)
    except BudgetError as error:
        st.error(
            notices.plain(f"Budgets are left out: {error}."), icon=":material/account_balance:"
        )
        return None


def _draw(report: BudgetReport, *, busy: bool) -> None:
    _draw_notices(report, busy=busy)
    st.html(_status_html(report))
    st.html(tiles_html([budget_tiles(report)], "The month so far and its forecast"))
    with st.container(key="budget-table"):
        month = report.forecast.month
        section(f"Budgets of {month.first_day:%B %Y}", "spent is exact; days and months are UTC")
        st.html(budgets_html(report.statuses))
        if report.others:
            with st.expander("Budgets of other months"):
                st.html(others_html(report.others))
    with st.container(key="budget-picture"):
        status = _chosen(report.statuses)
        draw_cards("budgets", _cards(report, status))
    with st.container(key="anomaly-table"):
        section("Anomalies of six weeks", "the newest first, with what drove them")
        st.html(anomalies_html(report.anomalies))
    with st.container(key="forecast-score"):
        section("How good this forecast would have been", "judged by what became")
        st.html(f'<p class="status">{escape(score_words(report.forecast))}</p>')
        score = report.forecast.score
        if score is not None and score.past:
            with st.expander("The newest of these forecasts"):
                st.html(past_html(score))


def _cards(report: BudgetReport, status: BudgetStatus | None) -> list[Card]:
    name = EVERYTHING if status is None else status.budget.name
    return [
        Card(
            "month-outlook",
            "Month to date and forecast",
            f"of {name}; dotted: forecast",
            month_outlook(
                report.forecast if status is None else status.forecast,
                report.days if status is None else list(status.days),
                None if status is None else status.budget.usd_per_month,
            ),
            "Cost since the month began in USD by day, with its forecast and the budget",
        ),
        Card(
            "usual-range",
            "Cost by day and what is usual",
            "of everything, six weeks",
            usual_range(report.days, report.anomalies),
            "Cost of each day in USD with the range that is usual, anomalies marked",
        ),
    ]


def _chosen(statuses: list[BudgetStatus]) -> BudgetStatus | None:
    """Draw the choice of what the chart is about; None for everything, without a budget."""
    by_name = {status.budget.name: status for status in statuses}
    names = list(dict.fromkeys([*by_name, EVERYTHING]))
    if len(names) == 1:
        return by_name.get(names[0])
    with st.container(horizontal=True, vertical_alignment="center", key="budget-chosen"):
        section("Month", "of the budget for")
        return by_name.get(menu_in_url("budget", names, "Budget", {}))


def _draw_notices(report: BudgetReport, *, busy: bool) -> None:
    with st.container(key="budget-notices"):
        if report.stale_us:
            age = span(report.stale_us)
            notices.stale(f"No data for {age}: the month and its forecast are as of then.")
        if report.begins_late:
            begin = instant(report.extent.covered[0], UTC)
            notices.stale(
                f"Nothing is stored from before {begin:{INSTANT}}: what machines and requests "
                "cost earlier in the month is in no figure."
            )
        unpriced = unpriced_text(report.unpriced)
        if report.unpriced_bytes:
            names = "; ".join(report.unpriced_bytes)
            unpriced = f"{unpriced or ''} No price is known for {names}: costs leave it out."
        if unpriced:
            st.error(notices.plain(unpriced.strip()), icon=":material/money_off:")
        if busy:
            notices.busy()


def _status_html(report: BudgetReport) -> str:
    forecast = report.forecast
    over = percent(float(forecast.month.elapsed(forecast.as_of_us)))
    as_of = instant(forecast.as_of_us, UTC)
    return (
        f'<p class="status"><span>as of {as_of:{INSTANT}}</span>'
        f"<span>{over} of {forecast.month.first_day:%B} is over</span>"
        f"<span>{count(len(report.days))} days looked at</span></p>"
    )


PAGE = Page("Budgets", ":material/account_balance_wallet:", "budgets", draw)
