"""Everything at rest: the DuckDB schema, its one writer and its typed queries."""

from store.archive import ArchiveConflictError
from store.archive_sizes import read_archive_sizes
from store.arrivals import ARRIVAL_COLUMNS, read_arrivals
from store.backup import BackupError, back_up, restore
from store.batch import Advance, Batch, Checkpoint, RejectedLine, UsageMinute
from store.batch_fill import BatchFill, read_batch_fill
from store.batch_saving import BatchSaving, read_batch_savings
from store.cache_saving import CacheSaving, read_cache_savings
from store.charge_facts import ChargeFacts
from store.charges import Bytes, Completeness, NodeStep, OwnedTime, Use
from store.check import Finding, check_database, check_prices
from store.choices import read_choices, read_label_choices
from store.database import Reader, open_reader, open_writer
from store.dropped import Dropped, read_dropped
from store.errors import (
    DatabaseBusyError,
    DatabaseMissingError,
    DatabaseUnusableError,
    StoreError,
)
from store.filter import EVERYTHING, Filter, FilterError
from store.grouping import By, ByLabel, Grouping, Key
from store.health import (
    BootHealth,
    CommitMinute,
    RejectedReason,
    Storage,
    StoredRejection,
    gaps,
    read_boots,
    read_commit_minutes,
    read_records_per_s,
    read_rejected_lines,
    read_rejected_reasons,
    read_storage,
    silent,
)
from store.heat_map import HeatMap, heat_map
from store.latency import Latency, percentile_curve, read_latency
from store.latency_histogram import quantile_us
from store.load_points import LoadPoint, read_load_points
from store.machine_time import BusyTimes, Uptime, read_busy_times, read_uptimes
from store.machine_time_spread import MachineTimeBin, read_machine_time_spread
from store.maintenance import Maintained, fold_before_us, maintain
from store.period import DAY_US, HOUR_US, MINUTE_US, Period
from store.rebuild import rebuild_database, rebuild_rollups
from store.request_log import LoggedRequest, read_latest_requests
from store.resolution import read_resolution
from store.retention import Retention, RetentionError, load_retention
from store.retries import Retries, read_retries
from store.simulated import Simulated, read_simulated
from store.slices import Slice, Totals, read_breakdown, read_series, read_totals
from store.stages import Stages, read_stages
from store.state import StoreState, read_commits, read_state
from store.top_requests import read_dearest_candidates, read_slowest_requests
from store.traffic import Traffic, read_traffic
from store.transfers import read_transfers
from store.utilization import Utilization, read_utilization
from store.writer import (
    Committed,
    PositionConflictError,
    Writer,
    commit,
    read_checkpoints,
    read_positions,
)

__all__ = [
    "ARRIVAL_COLUMNS",
    "DAY_US",
    "EVERYTHING",
    "HOUR_US",
    "MINUTE_US",
    "Advance",
    "ArchiveConflictError",
    "BackupError",
    "Batch",
    "BatchFill",
    "BatchSaving",
    "BootHealth",
    "BusyTimes",
    "By",
    "ByLabel",
    "Bytes",
    "CacheSaving",
    "ChargeFacts",
    "Checkpoint",
    "CommitMinute",
    "Committed",
    "Completeness",
    "DatabaseBusyError",
    "DatabaseMissingError",
    "DatabaseUnusableError",
    "Dropped",
    "Filter",
    "FilterError",
    "Finding",
    "Grouping",
    "HeatMap",
    "Key",
    "Latency",
    "LoadPoint",
    "LoggedRequest",
    "MachineTimeBin",
    "Maintained",
    "NodeStep",
    "OwnedTime",
    "Period",
    "PositionConflictError",
    "Reader",
    "RejectedLine",
    "RejectedReason",
    "Retention",
    "RetentionError",
    "Retries",
    "Simulated",
    "Slice",
    "Stages",
    "Storage",
    "StoreError",
    "StoreState",
    "StoredRejection",
    "Totals",
    "Traffic",
    "Uptime",
    "UsageMinute",
    "Use",
    "Utilization",
    "Writer",
    "back_up",
    "check_database",
    "check_prices",
    "commit",
    "fold_before_us",
    "gaps",
    "heat_map",
    "load_retention",
    "maintain",
    "open_reader",
    "open_writer",
    "percentile_curve",
    "quantile_us",
    "read_archive_sizes",
    "read_arrivals",
    "read_batch_fill",
    "read_batch_savings",
    "read_boots",
    "read_breakdown",
    "read_busy_times",
    "read_cache_savings",
    "read_checkpoints",
    "read_choices",
    "read_commit_minutes",
    "read_commits",
    "read_dearest_candidates",
    "read_dropped",
    "read_label_choices",
    "read_latency",
    "read_latest_requests",
    "read_load_points",
    "read_machine_time_spread",
    "read_positions",
    "read_records_per_s",
    "read_rejected_lines",
    "read_rejected_reasons",
    "read_resolution",
    "read_retries",
    "read_series",
    "read_simulated",
    "read_slowest_requests",
    "read_stages",
    "read_state",
    "read_storage",
    "read_totals",
    "read_traffic",
    "read_transfers",
    "read_uptimes",
    "read_utilization",
    "rebuild_database",
    "rebuild_rollups",
    "restore",
    "silent",
]
