"""`overview`: the figures of the Overview page as one line of JSON."""

import argparse
import sys
import time

import msgspec

from costs import split_usd
from reports.commands.options import add_database, add_prices, add_simulated, chosen
from reports.overview import Overview, load_overview
from reports.price_book import load_catalogue
from reports.simulated import SimulatedShown, load_simulated
from reports.window import WINDOWS
from store import DatabaseMissingError, Simulated

NAMED_WINDOWS = {window.label.replace(" ", "-"): window for window in WINDOWS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    add_prices(parser)
    add_simulated(parser)
    parser.add_argument("--window", choices=["all", *NAMED_WINDOWS], default="all")


def run(arguments: argparse.Namespace) -> int:
    """Print the figures; return the exit code. Raises ReportErrors and StoreErrors."""
    database, where, now_us = arguments.database, chosen(arguments), time.time_ns() // 1000
    try:
        catalogue, window = load_catalogue(arguments.prices), NAMED_WINDOWS.get(arguments.window)
        found = load_overview(database, catalogue, window, now_us, where)
        simulated = None if found is None else load_simulated(database, found.period, now_us, where)
    except DatabaseMissingError as error:
        print(f"{error}; start a collector first", file=sys.stderr)
        return 1
    print(msgspec.json.Encoder(decimal_format="number").encode(_summary(found, simulated)).decode())
    return 0


def _summary(overview: Overview | None, simulated: SimulatedShown | None) -> dict[str, object]:
    if overview is None or simulated is None:
        return {"records_stored": 0, "records_rejected": 0}
    shown = Simulated() if overview.where.simulated == ("no",) else simulated.shown
    now = overview.current
    direct_usd, idle_usd = split_usd([now.cost.direct, now.cost.idle])
    return {
        "records_stored": overview.state.records,
        "records_simulated": overview.state.simulated,
        "records_rejected": overview.state.rejected_lines,
        "requests": now.requests,
        "simulated_requests": shown.simulated_requests,
        "simulated_machines": shown.simulated_nodes,
        "failures": now.failures,
        "p50_ms": now.p50_ms,
        "p95_ms": now.p95_ms,
        "p99_ms": now.p99_ms,
        "requests_per_s": now.requests_per_s,
        "utilization": now.utilization,
        "cost_usd": direct_usd + idle_usd,
        "direct_usd": direct_usd,
        "idle_usd": idle_usd,
        "usd_per_1000": now.usd_per_1000,
        "unmeasured_requests": overview.unmeasured_requests,
        "records_dropped": {node.node_id: node.facts for node in overview.dropped},
        "unpriced_machines": [str(fleet.machine) for fleet in overview.fleets if not fleet.price],
    }
