"""What the collector hands to the store in one commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from usage import NodeSample, Position, UsageRecord

SAMPLE_COLUMNS = pa.schema(
    [
        ("node_id", pa.string()),
        ("boot_id", pa.string()),
        ("sampled_at_us", pa.int64()),
        ("interval_us", pa.int64()),
        ("cloud", pa.string()),
        ("region", pa.string()),
        ("instance_type", pa.string()),
        ("purchase_option", pa.string()),
        ("workers_ready", pa.int32()),
        ("workers_loading", pa.int32()),
        ("busy_us", pa.int64()),
        ("cpu_utilization", pa.float64()),
        ("memory_bytes", pa.int64()),
        ("gpu_utilization", pa.float64()),
        ("gpu_memory_bytes", pa.int64()),
        ("gpu_power_w", pa.float64()),
        ("queue_depth", pa.int32()),
        ("records_dropped", pa.int64()),
    ]
)


@dataclass(frozen=True)
class RejectedLine:
    """A line of the spool that could not be stored as a fact, where it stood and why."""

    node_id: str
    boot_id: str
    segment: int
    byte_offset: int
    reason: str
    line: str


@dataclass(frozen=True)
class Advance:
    """One boot's spool was read from `start` to `end`; the rows between are in the same batch."""

    node_id: str
    boot_id: str
    start: Position
    end: Position


@dataclass(frozen=True)
class Checkpoint:
    """A source other than a spool was read from `start` to `end`, in a unit of its own.

    A source that was never read before starts at 0.
    """

    source: str
    start: int
    end: int


@dataclass(frozen=True)
class UsageMinute:
    """Requests of one minute that a source counts without telling them one by one.

    `minute_us` is the beginning of the minute. The counts and sums are those of `requests` requests
    with these dimensions; `item_us` divided by `batch_size` is the worker time that they own.
    `latency` counts requests by bucket of store/latency_histogram.py; it may be empty where the
    source does not know.
    """

    minute_us: int
    node_id: str
    boot_id: str
    model: str | None
    model_version: str | None
    requests: int
    items: int
    item_us: int
    queue_us: int
    compute_us: int
    total_us: int
    status: int = 200
    error: str | None = None
    batch_size: int = 1
    origin: str = "live"
    variant: str | None = None
    tenant: str = "unknown"
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: str = "normal"
    pool: str = "cpu"
    cache: str = "bypass"
    request_bytes: int = 0
    response_bytes: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    latency: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Batch:
    """Facts and the positions reached in reading them, stored all together or not at all."""

    records: list[UsageRecord] = field(default_factory=list)
    samples: list[NodeSample] = field(default_factory=list)
    rejected: list[RejectedLine] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    minutes: list[UsageMinute] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
