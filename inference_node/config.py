"""The node's own configuration, `--config node.toml`. Everything has a default."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from inference_node.toml_file import read_toml
from usage import Priority, PurchaseOption
from usage.record import Name, NodeId

Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1, le=2**40)]
Seconds = Annotated[float, Meta(ge=0.01, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]

Device = Literal["cpu", "gpu", "auto"]


class MachineConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this machine is billed as. The default has no price, and the dashboard says so."""

    cloud: Name = "unknown"
    region: Name = "unknown"
    instance_type: Name = "unknown"
    purchase_option: PurchaseOption = "on_demand"


class ServingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is accepted from clients, all models together, and how long they may take."""

    default_model: Name | None = None
    max_body_bytes: Annotated[int, Meta(ge=1, le=2**31)] = 16 * 2**20
    max_image_pixels: Annotated[int, Meta(ge=1, le=2**28)] = 4 * 2**20
    max_queue_size: Positive = 4096
    max_connections: Positive = 4096
    max_concurrent_requests: Positive = 8192
    head_timeout_seconds: Seconds = 10.0
    body_timeout_seconds: Seconds = 60.0
    keep_alive_seconds: Seconds = 75.0
    drain_seconds: Seconds = 10.0
    max_job_lines_in_flight: Positive = 64


class PoolConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workers of one device. A worker executes one batch at a time.

    `auto` is the GPU where there is a usable one, else the CPU; `gpu` demands it.
    """

    device: Device = "cpu"
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    threads_per_worker: Annotated[int, Meta(ge=1, le=256)] = 1


class PoolRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests that fit every given condition go to `pool`; bytes are those of their tensors."""

    pool: Name
    priority: Priority | None = None
    model: Name | None = None
    min_items: Positive | None = None
    min_input_bytes: Bytes | None = None


class CacheConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where answers are kept, for the models that ask for it. A tier without a place is off.

    A password of `redis_url` may come from the environment instead: `REDIS_PASSWORD`.
    """

    memory_bytes: Annotated[int, Meta(ge=0, le=2**40)] = 64 * 2**20
    disk_path: str | None = None
    disk_bytes: Bytes = 2**30
    redis_url: str | None = None
    redis_timeout_milliseconds: Annotated[int, Meta(ge=1, le=10_000)] = 50


class AccessConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may ask. Without a file of tokens only a loopback address is served, unless
    `allow_anonymous` says that something in front of the node checks.

    `shared_memory`: whether clients on this machine may register theirs; with tokens it takes an
    administrator's, and with `allow_anonymous` nobody may.
    """

    tokens_file: str | None = None
    allow_anonymous: bool = False
    shared_memory: bool = True


class MeteringConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How facts reach the spool. At most `buffer_records` wait in memory when it cannot take them;
    beyond that they are dropped and counted."""

    sample_interval_seconds: Annotated[float, Meta(ge=0.01, le=60)] = 1.0
    flush_interval_milliseconds: Annotated[int, Meta(ge=1, le=100)] = 20
    buffer_records: Positive = 200_000
    fsync: bool = False


class LoggingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes to stderr: a line of text or one JSON object per event."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class SplitConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An A/B test: requests that name no version get one of `weights`, the same for the same key.

    The key is header `x-split-key`, else the tenant, unless `sticky_by` says `request`.
    """

    weights: dict[Name, Annotated[int, Meta(ge=0, le=1_000_000)]]
    sticky_by: Literal["key", "request"] = "key"


class ShadowConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of the requests is executed by `version`, too; nobody sees what it answers."""

    version: Name
    share: Share = 1.0


class CascadeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Version `first` answers where the largest value of its output `output` reaches `threshold`
    for every item, else version `then` does."""

    first: Name
    then: Name
    output: Name
    threshold: Share


class ModelOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node does differently from the model's own config.toml, for all its versions.

    `batching`, `scaling` and `response_cache` take the keys of the tables of those names there.
    """

    default_version: Name | None = None
    batching: dict[str, object] = field(default_factory=dict)
    scaling: dict[str, object] = field(default_factory=dict)
    response_cache: dict[str, object] = field(default_factory=dict)
    split: SplitConfig | None = None
    shadow: ShadowConfig | None = None
    cascade: CascadeConfig | None = None


class NodeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `node.toml`. A request goes to the pool of the first rule that fits it, to the
    first pool when none does."""

    node_id: NodeId = "node-1"
    machine: MachineConfig = MachineConfig()
    serving: ServingConfig = ServingConfig()
    pools: Annotated[dict[Name, PoolConfig], Meta(min_length=1)] = field(
        default_factory=lambda: {"cpu": PoolConfig()}
    )
    rules: list[PoolRule] = field(default_factory=list)
    cache: CacheConfig = CacheConfig()
    access: AccessConfig = AccessConfig()
    metering: MeteringConfig = MeteringConfig()
    logging: LoggingConfig = LoggingConfig()
    models: dict[Name, ModelOverride] = field(default_factory=dict)


def load_node_config(path: Path | None) -> NodeConfig:
    """Return the configuration in `path`, the defaults when it is None. Raises StartError."""
    return NodeConfig() if path is None else read_toml(path, NodeConfig)
