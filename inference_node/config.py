"""The node's own configuration, `--config node.toml`. Everything has a default."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from inference_node.toml_file import read_toml
from usage import PurchaseOption
from usage.record import Name, NodeId

Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
Microseconds = Annotated[int, Meta(ge=0, le=60_000_000)]


class MachineConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this machine is billed as. The default has no price, and the dashboard says so."""

    cloud: Name = "unknown"
    region: Name = "unknown"
    instance_type: Name = "unknown"
    purchase_option: PurchaseOption = "on_demand"


class ServingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How requests are accepted and executed. A worker executes one batch at a time."""

    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    threads_per_worker: Annotated[int, Meta(ge=1, le=256)] = 1
    default_model: Name | None = None
    max_body_bytes: Annotated[int, Meta(ge=1, le=2**31)] = 16 * 2**20
    max_image_pixels: Annotated[int, Meta(ge=1, le=2**28)] = 4 * 2**20
    max_queue_size: Positive = 4096


class ModelOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this node does differently from the model's own config, for all its versions."""

    default_version: Name | None = None
    max_batch_size: Positive | None = None
    max_queue_delay_microseconds: Microseconds | None = None


class MeteringConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How facts reach the spool. At most `buffer_records` wait in memory when it cannot take them;
    beyond that they are dropped and counted."""

    sample_interval_seconds: Annotated[float, Meta(ge=0.01, le=60)] = 1.0
    flush_interval_milliseconds: Annotated[int, Meta(ge=1, le=1000)] = 50
    buffer_records: Positive = 200_000
    fsync: bool = False


class NodeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `node.toml`."""

    node_id: NodeId = "node-1"
    machine: MachineConfig = MachineConfig()
    serving: ServingConfig = ServingConfig()
    metering: MeteringConfig = MeteringConfig()
    models: dict[Name, ModelOverride] = field(default_factory=dict)


def load_node_config(path: Path | None) -> NodeConfig:
    """Return the configuration in `path`, the defaults when it is None. Raises StartError."""
    return NodeConfig() if path is None else read_toml(path, NodeConfig)
