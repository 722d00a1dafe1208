"""What the collector hands to the store in one commit."""

from dataclasses import dataclass, field

import pyarrow as pa

from usage import NodeSample, Position, UsageRecord

_LABELS = pa.map_(pa.string(), pa.string())

USAGE_COLUMNS = pa.schema(
    [
        ("record_id", pa.string()),
        ("node_id", pa.string()),
        ("boot_id", pa.string()),
        ("seq", pa.int64()),
        ("origin", pa.string()),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("variant", pa.string()),
        ("tenant", pa.string()),
        ("labels", _LABELS),
        ("priority", pa.string()),
        ("pool", pa.string()),
        ("worker", pa.int32()),
        ("arrived_at_us", pa.int64()),
        ("queue_us", pa.int64()),
        ("compute_us", pa.int64()),
        ("total_us", pa.int64()),
        ("batch_id", pa.int64()),
        ("batch_size", pa.int32()),
        ("cache", pa.string()),
        ("input_digest", pa.string()),
        ("request_bytes", pa.int64()),
        ("response_bytes", pa.int64()),
        ("items", pa.int32()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("client_region", pa.string()),
        ("status", pa.int16()),
        ("error", pa.string()),
        ("route", pa.string()),
        ("parent_id", pa.string()),
    ]
)

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


@dataclass
class Batch:
    """Facts and the positions reached in reading them, stored all together or not at all."""

    records: list[UsageRecord] = field(default_factory=list)
    samples: list[NodeSample] = field(default_factory=list)
    rejected: list[RejectedLine] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)

    def usage_table(self) -> pa.Table:
        """Return the usage records as an Arrow table with USAGE_COLUMNS, labels sorted by name."""
        columns = {
            name: [getattr(record, name) for record in self.records] for name in USAGE_COLUMNS.names
        }
        columns["labels"] = [sorted(labels.items()) for labels in columns["labels"]]
        return pa.table(columns, schema=USAGE_COLUMNS)

    def sample_table(self) -> pa.Table:
        """Return the node samples as an Arrow table with SAMPLE_COLUMNS."""
        columns = {
            name: [getattr(sample, name) for sample in self.samples]
            for name in SAMPLE_COLUMNS.names
        }
        return pa.table(columns, schema=SAMPLE_COLUMNS)
