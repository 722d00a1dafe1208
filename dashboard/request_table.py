"""Requests and their costs as a table to read and as a file of exact decimals."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from fractions import Fraction

import pandas as pd

from costs import to_usd
from dashboard.table_csv import table_csv
from reports import RequestCost
from reports.formatting import instant
from store import LoggedRequest

MICRO = 10**6
# A tick is 1/3.6e15 USD: 24 places tell apart what a person or a sum could ever tell apart.
PLACES = 24
MOST_DECIMALS = 9

CSV_COLUMNS = (
    "record_id",
    "arrived_at",
    "arrived_at_us",
    "node_id",
    "origin",
    "model",
    "model_version",
    "variant",
    "tenant",
    "priority",
    "status",
    "error",
    "cache",
    "batch_size",
    "queue_us",
    "compute_us",
    "total_us",
    "direct_usd",
    "fully_loaded_usd",
    "route",
    "parent_id",
)


def request_frame(rows: Sequence[RequestCost], zone: tzinfo) -> pd.DataFrame:
    """Return `rows` as the columns people read: local time, milliseconds, micro-USD.

    Routes have a column where there is one to tell: mostly every request went direct. So have
    origins where a request is simulated.
    """
    requests = [row.request for row in rows]
    frame = pd.DataFrame(
        {
            "time": pd.Series(
                [instant(r.arrived_at_us, zone) for r in requests],
                dtype=pd.DatetimeTZDtype("us", zone),
            ),
            "model": [_model(r) for r in requests],
            "tenant": [r.tenant for r in requests],
            "priority": [r.priority for r in requests],
            "result": [_result(r) for r in requests],
            "cache": [r.cache for r in requests],
            "route": [r.route.replace("_", " ") for r in requests],
            "origin": [r.origin for r in requests],
            "batch": [r.batch_size or None for r in requests],
            "queue_ms": [r.queue_us / 1000 for r in requests],
            "compute_ms": [r.compute_us / 1000 for r in requests],
            "total_ms": [r.total_us / 1000 for r in requests],
            "direct": [_micro_usd(row.direct) for row in rows],
            "fully_loaded": [_micro_usd(row.fully_loaded) for row in rows],
        }
    ).astype({"batch": "Int64"})
    untold = ("route",) if (frame["route"] == "direct").all() else ()
    if not (frame["origin"] == "simulated").any():
        untold = (*untold, "origin")
    return frame.drop(columns=list(untold))


def decimals_for(values: Iterable[float | None]) -> int:
    """Return how many decimals show the smallest of `values` above zero with three digits."""
    smallest = min((v for v in values if v is not None and v > 0), default=1.0)
    return min(MOST_DECIMALS, max(0, 2 - math.floor(math.log10(smallest))))


def request_csv(rows: Iterable[RequestCost]) -> str:
    """Return `rows` as CSV: integer microseconds, ISO time in UTC, USD as exact decimals.

    An unknown cost is an empty field.
    """
    return table_csv(CSV_COLUMNS, map(_csv_row, rows))


def _csv_row(row: RequestCost) -> list[object]:
    values = {
        "arrived_at": instant(row.request.arrived_at_us, UTC).isoformat(timespec="microseconds"),
        "direct_usd": _exact_usd(row.direct),
        "fully_loaded_usd": _exact_usd(row.fully_loaded),
    }
    return [values[name] if name in values else getattr(row.request, name) for name in CSV_COLUMNS]


def _model(request: LoggedRequest) -> str | None:
    if request.model is None:
        return None
    version = f"@{request.model_version}" if request.model_version else ""
    variant = f" ({request.variant})" if request.variant else ""
    return f"{request.model}{version}{variant}"


def _result(request: LoggedRequest) -> str:
    return f"{request.status} {request.error}" if request.error else str(request.status)


def _micro_usd(ticks: Fraction | None) -> float | None:
    return None if ticks is None else float(to_usd(ticks, PLACES) * MICRO)


def _exact_usd(ticks: Fraction | None) -> str:
    if ticks is None:
        return ""
    text = f"{to_usd(ticks, PLACES):f}"
    return text.rstrip("0").rstrip(".") or "0"
