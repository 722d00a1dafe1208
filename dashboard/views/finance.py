"""Finance: the charges of a month as FOCUS, how they add up, the provider's bill beside them."""

from dataclasses import replace
from datetime import UTC

import streamlit as st

from costs.month import Month
from dashboard import notices
from dashboard.data_table import draw_table
from dashboard.finance_command import shell_command
from dashboard.finance_files import Prepared, draw_downloads, prepare, prepared
from dashboard.finance_tables import (
    bill_words,
    components_html,
    differences_html,
    explained_html,
    invoices_html,
    preview_frame,
)
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.readings import (
    read_finance_months,
    read_finance_preview,
    read_simulated,
)
from dashboard.settings import Settings
from dashboard.simulated_mark import mark_figures
from dashboard.style import aside, page_style, section
from dashboard.url_controls import choice_in_url, menu_in_url, text_in_url, toggle_in_url
from reports import ReportError
from reports.finance import (
    FinanceError,
    FinancePreview,
    FinanceQuery,
    Grain,
    IdleRule,
    NamedBill,
    read_total,
    read_uploaded_bill,
)
from reports.formatting import count, instant
from store import EVERYTHING, Period, Simulated, StoreError

MOST_ROWS_SHOWN = 12
IDLE = {
    "separate": "Idle time apart",
    "proportional": "Idle time by use",
    "even": "Idle time by tenant, evenly",
    "owner": "Idle time to one owner",
}
GRAINS = {"By hour": Grain.HOUR, "By day": Grain.DAY}
ALL = "all clouds"
INSTANT = "%d %b %Y, %H:%M:%S UTC"


def draw(settings: Settings) -> None:
    """Draw the page for the month of the address."""
    page_style()
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.title("Finance", anchor=False, width="stretch")
    draw_newest(
        PAGE.path,
        settings,
        None,
        lambda: read_finance_months(settings),
        lambda months, busy: _draw(settings, months, busy=busy),
    )


def _draw(settings: Settings, months: list[Month], *, busy: bool) -> None:
    if busy:
        notices.busy()
    month, query = _choices(months)
    period = query.period
    simulated = _simulated(settings, period)
    if simulated:
        query = _with_simulated(query, simulated, month)
    try:
        preview = read_finance_preview(settings, query)
    except FinanceError as error:
        st.warning(notices.plain(f"{error}."), icon=":material/account_balance:")
        return
    query = _of_cloud(query, preview)
    if query.cloud is not None:
        preview = read_finance_preview(settings, query)
    _draw_preview(preview, month)
    _draw_files(settings, query, preview)


def _choices(months: list[Month]) -> tuple[Month, FinanceQuery]:
    with st.container(horizontal=True, vertical_alignment="center", key="finance-choices"):
        by_name = {f"{month.first_day:%B %Y}": month for month in months}
        month = by_name[menu_in_url("month", list(by_name), "Month", {})]
        grain = GRAINS[choice_in_url("grain", list(GRAINS), "Charge period")]
        idle = menu_in_url("idle", list(IDLE), "Idle time", IDLE)
        if idle == "owner":
            owner = text_in_url("idle_owner", "Owner", "Who bears idle time")
            idle = f"owner:{owner.strip() or 'unassigned'}"
    query = FinanceQuery(month.first_day, month.end_day, grain, IdleRule.parse(idle))
    return month, query


def _of_cloud(query: FinanceQuery, preview: FinancePreview) -> FinanceQuery:
    """Draw the choice of a cloud where there are several, and return the query with it."""
    clouds = sorted({each.cloud for each in preview.invoices})
    if len(clouds) < 2:
        return query
    with st.container(horizontal=True, vertical_alignment="center", key="finance-cloud"):
        aside("A bill is one provider's:")
        cloud = menu_in_url("finance_cloud", [ALL, *clouds], "Cloud", {})
    return query if cloud == ALL else replace(query, cloud=cloud)


def _simulated(settings: Settings, period: Period) -> Simulated:
    try:
        return read_simulated(settings, period, EVERYTHING).shown
    except StoreError:
        return Simulated()


def _with_simulated(query: FinanceQuery, simulated: Simulated, month: Month) -> FinanceQuery:
    """Say what is left out, and return the query with it where the reader asks for it."""
    requests = _amount(simulated.simulated_requests, "request")
    machines = _amount(simulated.simulated_nodes, "machine")
    st.html(
        '<p class="status"><span class="simulated">simulated</span><span>'
        f"{requests} and {machines} of {month.first_day:%B %Y} "
        "never ran: no books may hold them, and no file has them unless you ask.</span></p>"
    )
    if not toggle_in_url("made_up", "Include what is simulated, for a look"):
        return query
    mark_figures("part" if simulated.measured else "all")
    return replace(query, simulated=True)


def _amount(number: int, noun: str) -> str:
    return f"{count(number)} {noun if number == 1 else f'{noun}s'}"


def _draw_preview(preview: FinancePreview, month: Month) -> None:
    if preview.problems:
        problems = "; ".join(preview.problems)
        st.warning(notices.plain(f"Not whole: {problems}."), icon=":material/rule:")
    with st.container(key="finance-invoices"):
        as_of = instant(preview.committed_at_us, UTC)
        section(f"Charges of {month.first_day:%B %Y}", f"facts as of {as_of:{INSTANT}}")
        st.html(invoices_html(preview))
    with st.container(key="finance-preview"):
        section("The file begins like this", "11 of its 68 columns, as it spells them")
        draw_table(
            preview_frame(preview),
            "finance-preview-table",
            {"Description": st.column_config.TextColumn(width="large")},
            most_rows=MOST_ROWS_SHOWN,
        )


def _draw_files(settings: Settings, query: FinanceQuery, preview: FinancePreview) -> None:
    with st.container(key="finance-files"):
        section("Files", "FOCUS 1.2, checked row by row, and what stands beside it")
        bill = _bill(query, preview)
        if st.button("Prepare the files", icon=":material/inventory_2:", type="primary"):
            try:
                prepare(settings, query, bill)
            except (ReportError, StoreError) as error:
                st.error(notices.plain(f"{error}."), icon=":material/error:")
                return
        files = prepared(query, bill)
        if files is not None:
            _draw_prepared(files)
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(shell_command(settings, query, bill), language="sh")


def _bill(query: FinanceQuery, preview: FinancePreview) -> NamedBill | None:
    """Draw what to compare with, and return it."""
    if len(preview.invoices) != 1:
        return None
    with st.expander("Compare with the provider's bill", icon=":material/receipt_long:"):
        total = text_in_url("bill", "Total of the bill", "Total of the bill in USD, as 1234.56")
        uploaded = st.file_uploader(
            "Or the bill as a CSV: FOCUS, or an AWS Cost and Usage Report", type="csv"
        )
    try:
        if uploaded is not None:
            return read_uploaded_bill(uploaded.getvalue(), uploaded.name, query)
        return read_total(total) if total else None
    except FinanceError as error:
        st.warning(notices.plain(f"The bill is left out: {error}."), icon=":material/receipt_long:")
        return None


def _draw_prepared(files: Prepared) -> None:
    found = files.reconciliation
    as_of = instant(files.committed_at_us, UTC)
    st.html(
        f'<p class="status"><span>{found["rows"]:,} rows; facts as of {as_of:{INSTANT}}</span></p>'
    )
    draw_downloads(files)
    with st.container(key="finance-reconciliation"):
        section("Reconciliation", "every part of the file, and how its total comes about")
        st.html(components_html(found))
        st.html(explained_html(found))
    bill = found["bill"]
    if bill is not None:
        with st.container(key="finance-bill"):
            section("The provider's bill", bill_words(bill))
            st.html(differences_html(found))


PAGE = Page("Finance", ":material/account_balance:", "finance", draw)
