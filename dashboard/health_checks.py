"""What is to be said of the data's health: one verdict each, in words an engineer acts on."""

from dashboard.check import Check
from reports import HealthReport
from reports.formatting import DASH, byte_size, count, percent, significant, span
from reports.health import LARGE_HELD_SHARE, LONG_WAIT_US, OLD_PRICE_DAYS, SLOW_LAG_US

SECOND_US = 1_000_000


def health_checks(report: HealthReport) -> list[Check]:
    """Return the checks, the ones that fail most often first."""
    return [
        _freshness(report),
        _completeness(report),
        _rejected(report),
        _nodes(report),
        _prices(report),
        _lock(report),
        _storage(report),
    ]


def _freshness(report: HealthReport) -> Check:
    lag = report.newest_lag_us
    age = span(report.since_commit_us)
    text = f"Last commit {age} ago."
    if report.since_commit_us > SLOW_LAG_US and not report.fresh:
        text = f"Nothing was stored for {age}: is the collector running?"
    elif not report.fresh:
        text = f"{text} The newest records were on the way for long: is the collector behind?"
    return Check(
        "freshness",
        "Arrival to commit",
        seconds(lag),
        None if report.fresh and lag is None else report.fresh,
        f"{text} Longest of the window {seconds(report.max_lag_us)}; "
        f"{significant(report.records_per_s)} records/s stored.",
    )


def _completeness(report: HealthReport) -> Check:
    lost = report.missing + report.dropped_facts
    if report.complete:
        text = "No gap in the sequence numbers, nothing dropped by a node in the window."
    else:
        text = (
            f"{count(report.missing)} missing by their sequence numbers, "
            f"{count(report.dropped_facts)} dropped by nodes in the window: figures leave them out."
        )
    return Check("completeness", "Missing records", count(lost), report.complete, text)


def _rejected(report: HealthReport) -> Check:
    ever = sum(reason.lines for reason in report.reasons)
    if report.rejected:
        text = "Lines that are no valid record or sample: the newest stand below."
    elif ever:
        text = f"None in the window; {count(ever)} before it."
    else:
        text = "Every line was a valid record or sample."
    return Check("rejected", "Rejected lines", count(report.rejected), not report.rejected, text)


def _nodes(report: HealthReport) -> Check:
    silent = report.silent
    heard = report.active - len(silent)
    if silent:
        names = ", ".join(boot.node_id for boot in silent[:3])
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        text = f"Silent for over a minute: {names}{more}. Stopped on purpose, or dead?"
    else:
        text = "Every node of the window was heard of in the last minute."
    return Check("nodes", "Nodes heard", f"{heard} of {report.active}", not silent, text)


def _prices(report: HealthReport) -> Check:
    known = [price.days for price in report.prices if price.days is not None]
    missing = [price for price in report.prices if price.price is None]
    undated = [price for price in report.prices if price.price and price.days is None]
    good = all(price.good for price in report.prices)
    if missing:
        text = f"{count(len(missing))} kind(s) of machine without a price: costs leave them out."
    elif undated:
        text = "A price says of no date when it was looked up."
    elif not report.prices:
        text = "No machine ran in the window."
    elif good:
        text = "Every machine of the window has a price of the last year."
    else:
        text = f"Looked up over {OLD_PRICE_DAYS} days ago: renew data/prices."
    value = f"{max(known)} d" if known else DASH
    return Check("prices", "Age of the oldest price", value, good, text)


def _lock(report: HealthReport) -> Check:
    wait_us = report.longest_wait_us
    text = f"The collector held the file {percent(report.held_share)} of the time."
    if wait_us > LONG_WAIT_US:
        text = f"A reader kept the file open for long. {text}"
    elif (report.held_share or 0) > LARGE_HELD_SHARE:
        text = f"{text} Readers hardly get at it."
    return Check("lock", "Longest wait for the file", seconds(wait_us), report.shared, text)


def _storage(report: HealthReport) -> Check:
    storage = report.storage
    archive = f"{count(storage.archived_files)} files, {byte_size(storage.archived_bytes)}"
    oldest_us = storage.oldest_in_file_us
    age = "" if oldest_us is None else f" of up to {span(max(0, report.now_us - oldest_us))} ago"
    text = (
        f"{count(storage.records)} records{age} in the file, "
        f"{count(storage.archived_records)} in the archive ({archive})."
    )
    simulated = sum(boot.records for boot in report.boots if boot.simulated)
    if simulated:
        text = f"{text} {count(simulated)} of all were simulated."
    return Check("storage", "Database file", byte_size(storage.file_bytes), None, text)


def seconds(duration_us: int | None) -> str:
    """Return a short duration in seconds, or in larger units from two minutes on."""
    if duration_us is None:
        return DASH
    if duration_us >= 120 * SECOND_US:
        return span(duration_us)
    return f"{significant(duration_us / SECOND_US)} s"
