"""Costs: what was paid for, what became of it, and who caused it."""

import streamlit as st

from costs import Sharing
from dashboard import notices
from dashboard.address import Address, put
from dashboard.breakdown import VERSION, grouping_word, groupings, narrowed
from dashboard.card import Card, draw_cards
from dashboard.charts.cost_components import cost_components
from dashboard.charts.cost_flows import cost_flows
from dashboard.charts.cost_spread import cost_spread
from dashboard.charts.over_time import Axis
from dashboard.clock import reader_zone
from dashboard.cost_table import (
    MOST_LISTED,
    bought_frame,
    commitment_frame,
    component_frame,
    slice_csv,
    slice_frame,
    styled,
)
from dashboard.cost_tiles import cost_tiles
from dashboard.data_table import draw_table
from dashboard.filter_bar import draw_head, grouping_in_url, values_of
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.page_frame import draw_figures, draw_notices
from dashboard.provenance import scope_text, unmeasured_text
from dashboard.readings import read_cost_spread, read_costs
from dashboard.settings import Settings
from dashboard.style import page_style, section
from dashboard.table_csv import EXACT, download_csv
from dashboard.url_controls import menu_in_url
from reports.costs import CostBin, CostReport

MOST_ROWS_SHOWN = 14
RULES = {
    Sharing.SEPARATE.value: "Idle time apart",
    Sharing.PROPORTIONAL.value: "Idle time by direct cost",
    Sharing.EVEN.value: "Idle time evenly",
    Sharing.OWNER.value: "Idle time to one",
}
# What a click on a row of one grouping shows next.
NEXT = {"model": VERSION, VERSION: "tenant", "tenant": "model", "region": "instance_type"}


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    address = draw_head("Costs", settings)
    picture, table = st.container(key="costs-picture"), st.container(key="costs-by")
    with table, st.container(horizontal=True, vertical_alignment="center", key="costs-by-head"):
        section("Costs by", "a click on a row looks into it")
        by = grouping_in_url(settings, "Costs by")
        owners = _owners(settings, by)
        rules = [rule for rule in RULES if owners or rule != Sharing.OWNER.value]
        rule = Sharing(menu_in_url("idle", rules, "Idle time", RULES))
        owner = None
        if rule is Sharing.OWNER:
            owner = menu_in_url("owner", owners, "Who bears it", {})
    with picture:
        draw_newest(
            PAGE.path,
            settings,
            (address, by, rule, owner),
            lambda: _read(settings, address, by, rule, owner),
            lambda found, busy: _draw(*found, address, by, table, busy=busy),
        )


def _owners(settings: Settings, by: str) -> list[str]:
    """Return who could bear idle time: the values of a grouping by one field."""
    if len(groupings(by)) > 1:
        return []
    return [value for value in values_of(settings, by) if value is not None]


def _read(
    settings: Settings, address: Address, by: str, rule: Sharing, owner: str | None
) -> tuple[CostReport, list[CostBin]] | None:
    key = None if owner is None else (owner,)
    report = read_costs(settings, address, groupings(by), rule, key)
    return None if report is None else (report, read_cost_spread(settings, address))


def _draw(
    report: CostReport,
    spread: list[CostBin],
    address: Address,
    by: str,
    table: "st.delta_generator.DeltaGenerator",
    *,
    busy: bool,
) -> None:
    shown, window = report.shown, address.window
    matches = any(each.totals.requests for each in report.slices)
    draw_notices(
        PAGE.path,
        shown,
        window,
        dropped=report.dropped,
        unpriced=report.unpriced,
        unpriced_bytes=report.unpriced_bytes,
        missing=notices.no_match if report.where and not matches else None,
    )
    draw_figures(shown, [cost_tiles(report)], f"Costs, {window.label}", busy=busy)
    axis = Axis(shown.period, shown.step_us, reader_zone())
    draw_cards(
        "costs",
        [
            Card(
                "cost-components",
                "Cost over time",
                "by what it was paid for",
                cost_components(report.per_hour, axis),
                "Cost in USD per hour, step by step, by component",
            ),
            Card(
                "cost-spread",
                "Cost of a request",
                "machine time of the newest 200,000 executed ones",
                cost_spread(spread),
                "Number of requests by direct cost in millionths of a dollar",
            ),
        ],
    )
    draw_cards(
        "cost-flows",
        [
            Card(
                "cost-flow",
                "Where the money goes",
                "machine cost: bought, what became of it, model, tenant; green was saved, not paid",
                cost_flows(report.flows),
                "Machine cost from purchase over use to models and tenants",
            )
        ],
        beside=1,
    )
    with st.container(key="costs-parts"):
        left, right = st.columns(2)
    with left, st.container(border=True, key="cost-parts", height="stretch"):
        section("Components", "of the window, and the change against the one before")
        draw_table(
            component_frame(report),
            "component-table",
            _COMPONENTS,
            most_rows=8,
            download="components",
        )
    with right, st.container(border=True, key="cost-bought", height="stretch"):
        section("Machines", "spot, on-demand and reserved apart")
        draw_table(bought_frame(report), "bought-table", _BOUGHT, most_rows=8, download="machines")
    if report.commitments:
        with st.container(border=True, key="cost-commitments"):
            section("Commitments", "paid for in the window, used or not")
            draw_table(
                commitment_frame(report),
                "commitment-table",
                _COMMITMENTS,
                most_rows=8,
                download="commitments",
            )
    notices.scope(scope_text(report.where))
    notices.scope(unmeasured_text(report.unmeasured))
    with table:
        _draw_slices(report, by)


def _draw_slices(report: CostReport, by: str) -> None:
    number = st.column_config.NumberColumn
    draw_table(
        styled(slice_frame(report)),
        f"cost-table-{by}",
        {
            "group": st.column_config.TextColumn(grouping_word(by), width="medium"),
            "requests": number("Requests", help="Failed ones included"),
            "failed": number("Failed", help="Answered with a status of 400 or above"),
            "compute": number("Compute USD", help="Machine time that its requests own"),
            "network": number("Network USD", help="Bytes of its requests and answers"),
            "borne": number(
                "Idle USD",
                help="Idle time of the machines that its requests ran on: its part by the rule",
            ),
            "cost": number("Cost USD", help="Direct cost and its part of idle time"),
            "share": number("Share", help="Of all that is listed"),
            "per_1000": number("per 1,000", help="USD per 1,000 successful requests"),
            "failed_usd": number("Failed USD", help="Caused by failed requests, a part of direct"),
            "per_million": number("per M tokens", help="USD per million tokens, in and out"),
        },
        most_rows=MOST_ROWS_SHOWN,
        choose=lambda row: _look_into(report, by, row),
    )
    download_csv(lambda part: slice_csv(report, part), "costs", "costs", EXACT)


def _look_into(report: CostReport, by: str, row: int) -> None:
    """Filter by the group of a row that was clicked, and show it by what comes next."""
    if row >= min(MOST_LISTED, len(report.slices)):
        return
    chosen = narrowed(report.where, by, report.slices[row].key)
    if chosen is None:
        return
    values: dict[str, list[str]] = {}
    for name, text in chosen.to_pairs():
        values.setdefault(name, []).append(text)
    put({**values, "by": [NEXT.get(by, VERSION)]})


_COMPONENTS = {"component": "Component", "cost": "USD", "share": "Share", "change": "Change"}
_BOUGHT = {"option": "Bought as", "machine": "Machine", "cost": "USD", "share": "Share"}
_COMMITMENTS = {
    "machine": "Machine",
    "hours": "Hours committed",
    "used": "Used",
    "paid": "Paid USD",
    "unused": "Unused USD",
    "excess": st.column_config.TextColumn(
        "Beyond USD",
        help="What ran beyond the commitment costs the on-demand price: the difference",
    ),
}

PAGE = Page("Costs", ":material/payments:", "costs", draw)
