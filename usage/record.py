"""The two facts the product is built on: a usage record per request, a node sample per interval.

Times are integer microseconds, UTC. Both types are the lines of the spool, told apart by `kind`.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

SCHEMA: Final = 1

Origin = Literal["live", "replay", "simulated"]
Priority = Literal["high", "normal", "batch"]
Pool = Literal["cpu", "gpu"]
CacheOutcome = Literal["miss", "memory", "disk", "redis", "coalesced", "bypass"]
# How a version came to execute: asked for or the default, chosen by an A/B split, the answer of a
# cascade, its first try that was not confident enough, a copy whose answer nobody saw.
Route = Literal["direct", "split", "cascade", "cascade_attempt", "shadow"]
# Executed on behalf of another request, and no request themselves.
ON_BEHALF: Final[frozenset[Route]] = frozenset({"cascade_attempt", "shadow"})
PurchaseOption = Literal["on_demand", "spot", "reserved"]

# Instants from 2000 to 2100: outside lies a broken clock or another unit.
EARLIEST_US = 946_684_800_000_000
LATEST_US = 4_102_444_800_000_000
LONGEST_US = 10 * 86_400 * 1_000_000

Instant = Annotated[int, Meta(ge=EARLIEST_US, le=LATEST_US)]
Duration = Annotated[int, Meta(ge=0, le=LONGEST_US)]
Count = Annotated[int, Meta(ge=0, le=2**48)]
SmallCount = Annotated[int, Meta(ge=0, le=1_000_000)]
Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
LabelValue = Annotated[str, Meta(max_length=128)]
Labels = Annotated[dict[Name, LabelValue], Meta(max_length=8)]
Uuid = Annotated[
    str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
# A node's name is also a folder of the spool.
NodeId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class UsageRecord(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="usage_record",
):
    """One request, whatever became of it: answered, served from a cache, refused or failed.

    `queue_us` is arrival to dispatch, `compute_us` the execution of its batch, `total_us` arrival
    to response ready. `batch_size` counts the items of that batch and is 0 where none was executed.
    `input_digest` is a 64-bit hash in hex by which a replay sees repeats; it and the other optional
    fields are null where they do not apply.

    A `shadow` and a `cascade_attempt` are executions on behalf of another request, whose record
    `parent_id` names: they cost machine time and are no requests of their own.
    """

    schema: Literal[1] = SCHEMA
    record_id: Uuid
    node_id: NodeId
    boot_id: Uuid
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    origin: Origin
    model: Name | None
    model_version: Name | None
    variant: Name | None
    tenant: Name
    labels: Labels
    priority: Priority
    pool: Pool
    worker: SmallCount | None
    arrived_at_us: Instant
    queue_us: Duration
    compute_us: Duration
    total_us: Duration
    batch_id: Count | None
    batch_size: SmallCount
    cache: CacheOutcome
    input_digest: Digest | None
    request_bytes: Count
    response_bytes: Count
    items: Annotated[int, Meta(ge=1, le=1_000_000)]
    input_tokens: Count | None
    output_tokens: Count | None
    client_region: Name | None
    status: Annotated[int, Meta(ge=100, le=599)]
    error: Name | None
    route: Route = "direct"
    parent_id: Uuid | None = None


class NodeSample(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="node_sample",
):
    """One node in the `interval_us` before `sampled_at_us`: the denominator of the bill.

    `busy_us` counts worker-microseconds spent executing, so it may exceed `interval_us` when more
    than one worker is ready. The samples of one boot follow each other without gap or overlap.
    """

    schema: Literal[1] = SCHEMA
    node_id: NodeId
    boot_id: Uuid
    sampled_at_us: Instant
    interval_us: Annotated[int, Meta(ge=1, le=LONGEST_US)]
    cloud: Name
    region: Name
    instance_type: Name
    purchase_option: PurchaseOption
    workers_ready: SmallCount
    workers_loading: SmallCount
    busy_us: Count
    cpu_utilization: Ratio
    memory_bytes: Count
    gpu_utilization: Ratio | None
    gpu_memory_bytes: Count | None
    gpu_power_w: Annotated[float, Meta(ge=0.0)] | None
    queue_depth: SmallCount
    records_dropped: Count


Line = UsageRecord | NodeSample


class InvalidLineError(ValueError):
    """A line that is no usage record and no node sample; the message names field and reason."""


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode_line(line: Line) -> bytes:
    """Return `line` as JSON ended by a newline."""
    return _encoder.encode(line) + b"\n"


def encode_lines(lines: Sequence[Line]) -> bytes:
    """Return `lines` as JSON, each ended by a newline."""
    return _encoder.encode_lines(lines)


def decode_line(raw: bytes) -> Line:
    """Return the record or sample that `raw` (one line, newline optional) holds.

    Raises InvalidLineError for anything else: broken JSON or UTF-8, an unknown kind, schema or
    field, a missing field, a value out of range, an executed request outside any batch.
    """
    try:
        line = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidLineError(str(error)) from error
    if isinstance(line, UsageRecord) and line.compute_us > 0 and line.batch_size < line.items:
        raise InvalidLineError(
            f"batch_size is {line.batch_size}; accepted where compute_us is above 0: "
            f"at least items, {line.items}"
        )
    return line
