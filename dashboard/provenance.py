"""Where the figures of a page come from, and what they leave out, in words."""

from collections.abc import Iterable
from datetime import tzinfo
from decimal import Decimal
from html import escape

from costs import Machine
from dashboard.clock import now_us
from reports import Fleet, Overview, Window, of_requests
from reports.formatting import count, span, stretch, time_of_day
from store import Dropped, Filter, Period, StoreState

MICRO_USD_PER_USD = 1_000_000


def status_html(state: StoreState, period: Period, zone: tzinfo, *, busy: bool) -> str:
    """Return the line above the tiles: which stretch is shown and how old its newest record is.

    `busy` adds that something newer may be stored and could not be read just now.
    """
    now = now_us()
    shown = stretch(period.from_us, period.to_us, zone, now)
    arrival = state.last_arrival_us
    newest = "no request yet" if arrival is None else f"last record {span(now - arrival)} ago"
    length = span(period.length_us)
    waits = "<span>the database is being written to; trying again</span>" if busy else ""
    return (
        f'<p class="status">'
        f"<span>{shown} ({escape(str(zone))})</span>"
        f"<span>changes against the {length} before</span><span>{newest}</span>{waits}</p>"
    )


def scope_text(where: Filter) -> str | None:
    """Return the sentence that says what a filter does to figures of machines, None if nothing."""
    if not of_requests(where):
        return None
    return (
        "Machines work for all requests at once, so idle time belongs to no single tenant or "
        "model: figures of machines are of all that the matching machines did."
    )


def stale_text(state: StoreState, period: Period, window: Window, zone: tzinfo) -> str:
    """Return the sentence that says the figures are not of now."""
    now = now_us()
    age = span(now - (state.last_fact_us or now))
    end = time_of_day(period.to_us, zone, now)
    shown = window.label if period.length_us == window.length_us else span(period.length_us)
    return f"No data for {age}; showing the {shown} up to {end}"


def unpriced_text(machines: Iterable[Machine]) -> str | None:
    """Return the sentence that names machines without a price, None if there are none."""
    names = "; ".join(str(machine) for machine in machines)
    if not names:
        return None
    return (
        f"No price is known for {names}. "
        "All costs on this page leave these machines out. "
        "Add a row to instances.csv in the folder of prices."
    )


def unpriced_bytes_text(names: Iterable[str]) -> str | None:
    """Return the sentence that names bytes without a price, None if there are none."""
    told = "; ".join(names)
    return f"No price is known for {told}. All costs on this page leave it out." if told else None


def unmeasured_text(requests: int) -> str | None:
    """Return the sentence that says how many requests have no direct cost yet, None if all have."""
    if not requests:
        return None
    subject = "request has" if requests == 1 else "requests have"
    return (
        f"{count(requests)} executed {subject} no direct cost yet: the machine time of that minute "
        "is still to be reported, or was lost with the node."
    )


def dropped_text(dropped: Iterable[Dropped]) -> str | None:
    """Return the sentence that says how many facts which node dropped, None if none did."""
    nodes = list(dropped)
    if not nodes:
        return None
    total = sum(node.facts for node in nodes)
    by_node = ", ".join(f"{count(node.facts)} by {node.node_id}" for node in nodes)
    records = "1 record was" if total == 1 else f"{count(total)} records were"
    return (
        f"{records} dropped in the time shown: {by_node}. The spool could not be written for "
        "longer than memory lasts. The figures on this page leave these records out."
    )


def rejected_text(overview: Overview) -> str | None:
    """Return the sentence that says how many lines could not be stored, None if all could."""
    rejected = overview.state.rejected_lines
    if not rejected:
        return None
    lines = "1 line was" if rejected == 1 else f"{count(rejected)} lines were"
    return (
        f"{lines} rejected: not valid usage records or node samples, so not in these figures. "
        "The table rejected_line holds each one with the reason."
    )


def provenance_html(overview: Overview, database: str) -> str:
    """Return the lines below the charts: prices, coverage, requests without a known cost."""
    lines = [_priced_as(fleet) for fleet in overview.fleets if fleet.price is not None]
    unmeasured = unmeasured_text(overview.unmeasured_requests)
    if unmeasured:
        lines.append(unmeasured)
    stored = overview.state.records
    requests = "1 request" if stored == 1 else f"{count(stored)} requests"
    simulated = overview.state.simulated
    of_them = f", {count(simulated)} of them simulated" if simulated else ""
    lines.append(f"{requests} stored in {escape(database)}{of_them}.")
    return f'<div class="provenance">{"".join(f"<p>{line}</p>" for line in lines)}</div>'


def _priced_as(fleet: Fleet) -> str:
    if fleet.price is None:
        raise ValueError(f"{fleet.machine} has no price")
    subject = "1 node is" if fleet.nodes == 1 else f"{count(fleet.nodes)} nodes are"
    per_hour = Decimal(fleet.price.micro_usd_per_hour) / MICRO_USD_PER_USD
    each = "" if fleet.nodes == 1 else " each"
    return (
        f"{subject} priced as <strong>{escape(str(fleet.machine))}</strong>: "
        f"<strong>{per_hour.normalize():f} USD/h</strong>{each} "
        f"(as of {escape(fleet.price.as_of)}, source {escape(fleet.price.source)})"
    )
