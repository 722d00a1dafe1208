"""The contract between node and collectors: record types and the spool format."""

from usage.record import (
    InvalidLineError,
    Line,
    NodeSample,
    Origin,
    Pool,
    Priority,
    PurchaseOption,
    UsageRecord,
    decode_line,
    encode_line,
)
from usage.spool import Boot, Chunk, Position, SpoolError, SpoolWriter, boots

__all__ = [
    "Boot",
    "Chunk",
    "InvalidLineError",
    "Line",
    "NodeSample",
    "Origin",
    "Pool",
    "Position",
    "Priority",
    "PurchaseOption",
    "SpoolError",
    "SpoolWriter",
    "UsageRecord",
    "boots",
    "decode_line",
    "encode_line",
]
