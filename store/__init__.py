"""Everything at rest: the DuckDB schema, its one writer and its typed queries."""

from store.batch import Advance, Batch, Checkpoint, RejectedLine, UsageMinute
from store.database import open_reader, open_writer
from store.dropped import Dropped, read_dropped
from store.errors import (
    DatabaseBusyError,
    DatabaseMissingError,
    DatabaseUnusableError,
    StoreError,
)
from store.latency_histogram import quantile_us
from store.machine_time import BusyTimes, Uptime, read_busy_times, read_uptimes
from store.period import MINUTE_US, Period
from store.request_log import LoggedRequest, read_latest_requests
from store.state import StoreState, read_commits, read_state
from store.traffic import Traffic, read_traffic
from store.writer import (
    Committed,
    PositionConflictError,
    Writer,
    commit,
    read_checkpoints,
    read_positions,
)

__all__ = [
    "MINUTE_US",
    "Advance",
    "Batch",
    "BusyTimes",
    "Checkpoint",
    "Committed",
    "DatabaseBusyError",
    "DatabaseMissingError",
    "DatabaseUnusableError",
    "Dropped",
    "LoggedRequest",
    "Period",
    "PositionConflictError",
    "RejectedLine",
    "StoreError",
    "StoreState",
    "Traffic",
    "Uptime",
    "UsageMinute",
    "Writer",
    "commit",
    "open_reader",
    "open_writer",
    "quantile_us",
    "read_busy_times",
    "read_checkpoints",
    "read_commits",
    "read_dropped",
    "read_latest_requests",
    "read_positions",
    "read_state",
    "read_traffic",
    "read_uptimes",
]
