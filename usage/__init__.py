"""The contract between node and collectors: record types and the spool format."""

from usage.line_template import LineTemplate
from usage.record import (
    CacheOutcome,
    InvalidLineError,
    Line,
    NodeSample,
    Origin,
    Pool,
    Priority,
    PurchaseOption,
    Route,
    UsageRecord,
    decode_line,
    encode_line,
    encode_lines,
)
from usage.spool import Boot, Chunk, Position, SpoolError, SpoolWriter, Stray, boots

__all__ = [
    "Boot",
    "CacheOutcome",
    "Chunk",
    "InvalidLineError",
    "Line",
    "LineTemplate",
    "NodeSample",
    "Origin",
    "Pool",
    "Position",
    "Priority",
    "PurchaseOption",
    "Route",
    "SpoolError",
    "SpoolWriter",
    "Stray",
    "UsageRecord",
    "boots",
    "decode_line",
    "encode_line",
    "encode_lines",
]
