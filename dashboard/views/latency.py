"""Latency: how slow the slowest are, when, where the time goes, and for whom."""

import streamlit as st

from dashboard import notices
from dashboard.address import Address
from dashboard.breakdown import grouping_word, groupings
from dashboard.card import Card, draw_cards
from dashboard.charts.latency_heat_map import latency_heat_map
from dashboard.charts.over_time import Axis
from dashboard.charts.percentile_curve import percentile_curve
from dashboard.charts.stage_split import stage_means, stage_shares
from dashboard.clock import reader_zone
from dashboard.data_table import draw_table
from dashboard.filter_bar import draw_head, grouping_in_url
from dashboard.latency_table import TOO_FEW, latency_frame, styled
from dashboard.latency_tiles import latency_tiles
from dashboard.newest import draw_newest
from dashboard.page import Page
from dashboard.page_frame import draw_figures, draw_notices
from dashboard.readings import read_latency, read_targets
from dashboard.settings import Settings
from dashboard.style import page_style, section
from reports import LatencyReport, LatencyTargets

MOST_ROWS_SHOWN = 14


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    address = draw_head("Latency", settings)
    # The choice stands above the table that it is of, and yet is needed to read anything.
    picture, table = st.container(key="latency-picture"), st.container(key="latency-by")
    with (
        table,
        st.container(horizontal=True, vertical_alignment="center", key="latency-by-head"),
    ):
        section("Latency by", "successful requests; the share is of those above the p99 target")
        by = grouping_in_url(settings, "Latency by")
    targets = read_targets(settings).latency_ms
    with picture:
        draw_newest(
            PAGE.path,
            settings,
            (address, by),
            lambda: read_latency(settings, address, groupings(by)),
            lambda report, busy: _draw(report, targets, address, by, table, busy=busy),
        )


def _draw(
    report: LatencyReport,
    targets: LatencyTargets,
    address: Address,
    by: str,
    table: "st.delta_generator.DeltaGenerator",
    *,
    busy: bool,
) -> None:
    shown, window = report.shown, address.window
    draw_notices(
        PAGE.path,
        shown,
        window,
        dropped=report.dropped,
        missing=notices.no_match if report.where and not report.groups else None,
    )
    draw_figures(shown, [latency_tiles(report, targets)], f"Latency, {window.label}", busy=busy)
    axis = Axis(shown.period, shown.step_us, reader_zone())
    draw_cards(
        "latency",
        [
            Card(
                "percentile-curve",
                "Latency by percentile",
                "of ever fewer, ever slower requests",
                percentile_curve(report.counts, targets),
                "Latency in milliseconds over its percentiles, 50 to 99.99, with the targets",
            ),
            Card(
                "latency-heat-map",
                "Latency over time",
                "the denser, the more requests",
                latency_heat_map(report.heat_map, axis, targets),
                "Requests by time and latency in milliseconds, with the p99 target",
            ),
            Card(
                "stage-means",
                "Where the time goes",
                "executed requests, mean of each stage",
                stage_means(report.stages, axis),
                "Mean queue, compute and overhead time in milliseconds, step by step",
            ),
            Card(
                "stage-shares",
                "Where the time goes, as shares",
                "of the total time of executed requests",
                stage_shares(report.stages, axis),
                "Shares of queue, compute and overhead in the total time, step by step",
            ),
        ],
    )
    with table:
        _draw_table(report, targets, by)


def _draw_table(report: LatencyReport, targets: LatencyTargets, by: str) -> None:
    frame = latency_frame(report.groups, groupings(by), targets.p99)
    number = st.column_config.NumberColumn
    draw_table(
        styled(frame),
        "latency-table",
        {
            "group": st.column_config.TextColumn(grouping_word(by), width="large"),
            "requests": number("Requests", help="Failed ones included"),
            "failed": number("Failed", help="Answered with a status of 400 or above"),
            **{
                name: number(
                    f"{name} ms",
                    help="Of successful requests; too few where fewer than 100 took longer",
                )
                for name in ("p50", "p95", "p99")
            },
            "above": number(
                f"Above {targets.p99:g} ms", help="Share of successful requests above the target"
            ),
        },
        most_rows=MOST_ROWS_SHOWN,
        placeholder=TOO_FEW,
        download="latency",
    )


PAGE = Page("Latency", ":material/timer:", "latency", draw)
