"""Utilisation: how busy machines are, what waits for them, how full batches get."""

import pandas as pd
import streamlit as st

from dashboard import notices
from dashboard.address import Address
from dashboard.card import Card, draw_cards
from dashboard.charts.batch_fill import batch_fill
from dashboard.charts.idle_by_load import idle_by_load
from dashboard.charts.machine_load import (
    memory,
    queue_depth,
    utilization_over_time,
    workers_over_time,
)
from dashboard.charts.over_time import Axis
from dashboard.clock import reader_zone
from dashboard.data_table import draw_table
from dashboard.filter_bar import draw_head
from dashboard.newest import draw_newest
from dashboard.node_table import node_frame, styled
from dashboard.page import Page
from dashboard.page_frame import draw_figures, draw_notices
from dashboard.provenance import scope_text
from dashboard.readings import read_utilization
from dashboard.settings import Settings
from dashboard.style import page_style, section
from dashboard.utilization_tiles import utilization_tiles
from reports import UtilizationReport
from reports.formatting import DASH

MOST_ROWS_SHOWN = 12


def draw(settings: Settings) -> None:
    """Draw the page as of now."""
    page_style()
    address = draw_head("Utilisation", settings)
    draw_newest(
        PAGE.path,
        settings,
        address,
        lambda: read_utilization(settings, address),
        lambda report, busy: _draw(report, address, busy=busy),
    )


def _draw(report: UtilizationReport, address: Address, *, busy: bool) -> None:
    shown, window = report.shown, address.window
    draw_notices(
        PAGE.path,
        shown,
        window,
        dropped=report.dropped,
        missing=notices.no_machine if report.where and report.total is None else None,
    )
    draw_figures(
        shown,
        utilization_tiles(report),
        f"Utilisation, {window.label}",
        busy=busy,
        scope=scope_text(report.where),
    )
    _draw_charts(report, Axis(shown.period, shown.step_us, reader_zone()))
    with st.container(key="utilization-nodes"):
        section("Nodes", "means of the window; the most of queue and memory")
        _draw_nodes(node_frame(report.nodes))


def _draw_charts(report: UtilizationReport, axis: Axis) -> None:
    gpu = report.total is not None and report.total.gpu_uptime_us > 0
    parts = "workers, CPU and GPU" if gpu else "workers and CPU; no GPU was measured"
    draw_cards(
        "utilization",
        [
            Card(
                "utilization-over-time",
                "Utilisation over time",
                parts,
                utilization_over_time(report.steps, axis),
                f"Utilisation of {parts}, step by step",
            ),
            Card(
                "workers-over-time",
                "Workers ready and busy",
                "all machines together",
                workers_over_time(report.workers, axis),
                "Mean number of workers ready and of workers busy, step by step",
            ),
            Card(
                "batch-fill",
                "Batch fill",
                "items executed together",
                batch_fill(report.fill, axis),
                "Mean number of items in an executed batch, step by step",
            ),
            Card(
                "queue-depth",
                "Queue depth",
                "requests that wait for a worker",
                queue_depth(report.steps, axis),
                "Mean and largest number of requests that waited on one machine, step by step",
            ),
            Card(
                "idle-by-load",
                "Idle share against load",
                "a point for each step",
                idle_by_load(report.points, axis.zone),
                "Requests per second of one machine against the idle share of its cost",
            ),
            Card(
                "memory",
                "Memory",
                "the most that any machine had in use",
                memory(report.steps, axis),
                "Most memory in use on any machine in GiB, step by step",
            ),
        ],
    )


def _draw_nodes(frame: pd.DataFrame) -> None:
    number = st.column_config.NumberColumn
    draw_table(
        styled(frame),
        "nodes-table",
        {
            "node": st.column_config.TextColumn("Node", width="medium"),
            "machine": st.column_config.TextColumn("Instance type"),
            "ready": number("Workers", help="Workers ready, mean while the node ran"),
            "utilization": number("Utilisation", help="Busy worker time / time workers were ready"),
            "cpu": number("CPU", help="Utilisation of all cores of the machine"),
            "gpu": number("GPU", help="Empty where none was measured"),
            "queue": number("Queue, mean"),
            "queue_most": number("Queue, most"),
            "memory": number("Memory GiB, most"),
        },
        most_rows=MOST_ROWS_SHOWN,
        placeholder=DASH,
        download="nodes",
    )


PAGE = Page("Utilisation", ":material/speed:", "utilization", draw)
