"""Triton's trace extension: which requests are traced, and what a trace is.

docs/protocol/extension_trace.md in triton-inference-server/server. Traces go to the node's log, not
to a file of their own. What a setting does not say for a model is as for the node.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from inference_node.errors import InvalidRequestError
from usage import UsageRecord

Level = Literal["OFF", "TIMESTAMPS"]
# Triton has numbers as text.
Rate = Annotated[str, Meta(pattern="^[1-9][0-9]{0,8}$")] | Annotated[int, Meta(ge=1, lt=10**9)]
Count = Annotated[str, Meta(pattern="^(-1|[0-9]{1,9})$")] | Annotated[int, Meta(ge=-1, lt=10**9)]

ACCEPTED = (
    'accepted: trace_level "OFF" or "TIMESTAMPS", trace_rate from 1, trace_count from -1 (no '
    "limit), null for the default; traces go to the log, so trace_file and log_frequency stay as "
    "they are"
)


class TraceUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; null takes back what was changed."""

    trace_level: Annotated[list[Level], Meta(min_length=1)] | Level | UnsetType | None = UNSET
    trace_rate: Rate | UnsetType | None = UNSET
    trace_count: Count | UnsetType | None = UNSET
    trace_file: Literal[""] | UnsetType | None = UNSET
    log_frequency: Literal["0", 0] | UnsetType | None = UNSET


class TraceSettings(Struct, frozen=True):
    """What is traced: one request of `trace_rate`, `trace_count` more of them, -1 for all."""

    trace_level: tuple[Level, ...] = ("OFF",)
    trace_rate: str = "1000"
    trace_count: str = "-1"
    log_frequency: str = "0"
    trace_file: str = ""


def decode_trace_update(body: bytes) -> dict[str, str | tuple[Level, ...] | None]:
    """Return the settings that `body` changes, None for those it takes back.

    Raises InvalidRequestError.
    """
    try:
        update = msgspec.json.decode(body or b"{}", type=TraceUpdate)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the trace settings do not fit: {error}; {ACCEPTED}") from error
    changes: dict[str, str | tuple[Level, ...] | None] = {}
    if update.trace_level is not UNSET:
        given = update.trace_level
        levels = [given] if isinstance(given, str) else given
        changes["trace_level"] = None
        if levels is not None:
            changes["trace_level"] = ("TIMESTAMPS" if "TIMESTAMPS" in levels else "OFF",)
    if update.trace_rate is not UNSET:
        changes["trace_rate"] = _text(update.trace_rate)
    if update.trace_count is not UNSET:
        changes["trace_count"] = _text(update.trace_count)
    return changes


def encode_trace_settings(settings: TraceSettings) -> bytes:
    """Return the answer to a request for settings, or for a change of them."""
    return msgspec.json.encode(settings)


def encode_trace(record: UsageRecord) -> bytes:
    """Return what is traced of a request, as JSON: when, in nanoseconds since 1970, it arrived, was
    executed and was answered. One that was not executed has no times of that."""
    begun_us = record.arrived_at_us + record.queue_us
    at_us = {"REQUEST_START": record.arrived_at_us, "QUEUE_START": record.arrived_at_us}
    if record.batch_size:
        at_us |= {"COMPUTE_START": begun_us, "COMPUTE_END": begun_us + record.compute_us}
    at_us["REQUEST_END"] = record.arrived_at_us + record.total_us
    return msgspec.json.encode(_trace(record, at_us))


def _trace(record: UsageRecord, at_us: Mapping[str, int]) -> dict[str, object]:
    return {
        "id": record.record_id,
        "model_name": record.model,
        "model_version": record.model_version,
        "status": record.status,
        "timestamps": [{"name": name, "ns": us * 1000} for name, us in at_us.items()],
    }


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
