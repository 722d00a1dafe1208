"""Prices in force: what an hour, a commitment and a byte cost now, how old that is, where from."""

from typing import Literal

import streamlit as st

from dashboard import notices
from dashboard.address import Address
from dashboard.data_table import draw_table
from dashboard.filter_bar import draw_head
from dashboard.page import Page
from dashboard.price_table import price_csv, price_frame, ran_html, rules_html
from dashboard.readings import read_price_report, read_ran_machines
from dashboard.settings import Settings
from dashboard.style import page_style, section
from dashboard.table_csv import EXACT, download_csv
from dashboard.url_controls import choice_in_url, text_in_url
from reports.formatting import count
from reports.prices import KINDS, PriceReport, search
from store import DatabaseBusyError, DatabaseMissingError

MOST_ROWS_SHOWN = 16
# More than anybody scrolls through; an imported list has tens of thousands.
MOST_ROWS_LISTED = 5_000
WORDS = {
    "machines": "an hour of a machine; rounded to whole millionths of a dollar",
    "commitments": "an hour all in all: what is paid upfront is spread over the term",
    "transfer": "bytes that leave a region, or come in; the first tier is applied",
    "storage": "bytes that lie somewhere for a month",
}
OPTION_WIDTHS: dict[str, Literal["medium"]] = {"commitments": "medium", "transfer": "medium"}
YOUR_RULES = """\
Rules of your own, such as a negotiated discount, a fixed price or a machine that you own, are
written to `prices.toml` in the folder of prices; `docs/prices.md` has an example of each. They win
over the lists, and a price that one of them decides shows its name beside the list price."""


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    address = draw_head("Prices in force", settings, filters=False)
    report = read_price_report(settings)
    with st.container(key="prices-ran"):
        section("Machines that ran", f"in the last {address.window.label}, at the price of now")
        _draw_ran(settings, address)
    with st.container(key="prices-rules"):
        section("Your rules", "over the list prices")
        st.html(rules_html(report.rules))
        with st.expander("How to set your own prices", icon=":material/tune:"):
            st.markdown(YOUR_RULES)
    with st.container(key="prices-catalogue"):
        _draw_catalogue(report)


def _draw_ran(settings: Settings, address: Address) -> None:
    try:
        ran = read_ran_machines(settings, address)
    except DatabaseBusyError:
        notices.busy()
        return
    except DatabaseMissingError:
        ran = None
    if ran is None:
        st.html('<p class="status">Nothing is recorded yet: no machine ran.</p>')
        return
    missing = [each.machine for each in ran if each.price is None]
    if missing:
        names = "; ".join(map(str, missing[:3])) + (" and more" if len(missing) > 3 else "")
        st.error(
            notices.plain(f"No price is known for {names}. No cost includes them."),
            icon=":material/money_off:",
        )
    st.html(ran_html(ran))


def _draw_catalogue(report: PriceReport) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="prices-choices"):
        kind = choice_in_url("kind", [k.capitalize() for k in KINDS], "Kind of price").lower()
        text = text_in_url("search", "Search", "Search, for example: h100 westeurope")
    section("Catalogue", WORDS[kind])
    rows = report.rows[kind]
    found = search(rows, text)
    if not rows:
        st.html('<p class="status">No price of this kind is known.</p>')
        return
    listed = found[:MOST_ROWS_LISTED]
    shown = f"{count(len(found))} of {count(len(rows))}" if text else count(len(rows))
    more = f"; the first {count(len(listed))} are listed" if len(listed) < len(found) else ""
    st.html(f'<p class="status"><span>{shown} prices{more}</span></p>')
    frame = price_frame(listed)
    number = st.column_config.NumberColumn
    draw_table(
        frame,
        f"prices-table-{kind}",
        {
            "item": st.column_config.TextColumn("Item"),
            "region": "Region",
            "option": st.column_config.TextColumn("Option", width=OPTION_WIDTHS.get(kind)),
            "usd": number("USD", format="%.6f"),
            "per": st.column_config.TextColumn("per", help="A GB is 10^9 bytes, a GiB 2^30"),
            "list": number("List USD", format="%.6f", help="Before the rule"),
            "rule": st.column_config.TextColumn("Rule", help="Of yours, that decides this price"),
            "age": number("Age", format="%d d", help="Days since the source showed it"),
            "as_of": "As of",
            "valid_from": st.column_config.TextColumn("Valid from", help="Empty: not known"),
            "source": st.column_config.TextColumn("Source", width="large"),
            "cloud": "Cloud",
        },
        most_rows=MOST_ROWS_SHOWN,
    )
    with st.container(horizontal=True, vertical_alignment="center", key="prices-actions"):
        download_csv(lambda _: price_csv(found), kind, "prices", EXACT)


PAGE = Page("Prices", ":material/sell:", "prices", draw)
