"""`config.toml` of one model version."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from usage.record import Name

Size = Annotated[int, Meta(ge=1, le=1_000_000)]
Microseconds = Annotated[int, Meta(ge=0, le=60_000_000)]
Level = Annotated[int, Meta(ge=0, le=100)]


class QueuePolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Triton's queue policy. 0 stands for no limit.

    A request may ask for another time-out than the default, but not for a longer one. A request
    whose time is up is refused, or with `delay` served after all that are still in time.
    """

    max_queue_size: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    timeout_action: Literal["reject", "delay"] = "reject"
    default_timeout_microseconds: Microseconds = 0
    allow_timeout_override: bool = True


class BatchingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dynamic batching under Triton's names; the delay runs from the arrival of the first.

    With `priority_levels` above 0 a request may ask for a level from 1, the highest, to that;
    `default_priority_level` is the one of requests that do not.
    """

    max_batch_size: Size = 1
    max_queue_delay_microseconds: Microseconds = 0
    preferred_batch_size: list[Size] = field(default_factory=list)
    priority_levels: Level = 0
    default_priority_level: Level = 0
    default_queue_policy: QueuePolicy = QueuePolicy()
    priority_queue_policy: dict[str, QueuePolicy] = field(default_factory=dict)


class ScalingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many sessions of the model are loaded in each pool that serves it.

    Between the bounds their number follows the rule of the Kubernetes HPA on the share of time that
    sessions execute, and on requests per second and session where a target for it is given. With a
    minimum of 0 the last session goes after `idle_seconds` without a request.
    """

    min_sessions: Annotated[int, Meta(ge=0, le=256)] = 1
    max_sessions: Annotated[int, Meta(ge=1, le=256)] | None = None  # the workers of the pool
    target_utilization: Annotated[float, Meta(gt=0, le=1)] = 0.7
    target_requests_per_second: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    interval_seconds: Annotated[float, Meta(ge=0.05, le=3600)] = 15.0
    scale_down_stabilization_seconds: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    idle_seconds: Annotated[float, Meta(ge=0.05, le=86_400)] = 300.0


class ResponseCacheConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether equal requests get the answer of the first of them, and for how long."""

    enable: bool = False
    ttl_seconds: Annotated[float, Meta(ge=0.01, le=31_536_000)] = 3600.0
    isolate_tenants: bool = False


class ImageConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an image becomes input `input`: resized, channels first, pixel values times `scale`."""

    input: Name
    width: Annotated[int, Meta(ge=1, le=4096)]
    height: Annotated[int, Meta(ge=1, le=4096)]
    channels: Literal[1, 3]
    scale: Annotated[float, Meta(gt=0, le=1e6)] = 1 / 255


class ClassificationConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Output `output` holds one probability for each of `labels`."""

    output: Name
    labels: Annotated[tuple[Name, ...], Meta(min_length=1)]


class ModelConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `config.toml`; `variant` names the number format."""

    variant: Name
    batching: BatchingConfig = BatchingConfig()
    scaling: ScalingConfig = ScalingConfig()
    response_cache: ResponseCacheConfig = ResponseCacheConfig()
    image: ImageConfig | None = None
    classification: ClassificationConfig | None = None
