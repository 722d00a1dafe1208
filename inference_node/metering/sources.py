"""What metrics read of the node at the moment of a scrape: each part shows its numbers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from inference_node.cache.tiers import Tier
from inference_node.metering.gpu import GpuReading
from inference_node.models.session_pool import LoadCounts


class ModelVersion(Protocol):
    """A version of a model."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def version(self) -> str:
        """The version's."""


class PoolState(Protocol):
    """Workers of one device and the requests that wait for them."""

    @property
    def waiting(self) -> int:
        """Requests in queues."""

    @property
    def workers(self) -> int:
        """Workers ready."""

    @property
    def busy(self) -> int:
        """Workers that execute."""

    def waiting_by_level(self) -> Iterable[tuple[ModelVersion, int, int]]:
        """Yield (model, priority level, requests that wait)."""


class SessionPoolState(Protocol):
    """Sessions of one model version in one pool."""

    @property
    def ready(self) -> int:
        """Sessions loaded, in use or not."""

    @property
    def loading(self) -> int:
        """Sessions that are being loaded or warmed up."""

    @property
    def target(self) -> int:
        """Sessions that scaling wants."""

    @property
    def counts(self) -> LoadCounts:
        """What loading cost since the start."""


class CacheTierState(Protocol):
    """One tier of the response cache, since the start."""

    @property
    def entries(self) -> int | None:
        """Answers kept; None where the tier does not know, as a Redis that others fill, too."""

    @property
    def size_bytes(self) -> int | None:
        """How much they take; None as above."""

    @property
    def evictions(self) -> int:
        """Answers pushed out to make room."""

    @property
    def failures(self) -> int:
        """Calls that its store failed: each cost latency, none an answer."""

    @property
    def dropped(self) -> int:
        """Answers that its store did not get."""


class MeterState(Protocol):
    """The way of facts to the spool."""

    @property
    def records_dropped(self) -> int:
        """Facts lost since the start."""

    @property
    def records_buffered(self) -> int:
        """Facts that wait in memory."""

    @property
    def failing(self) -> bool:
        """Whether the last write to the spool failed."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Every part of a node that has numbers of its own; what is left out has nothing to show.

    `pools` and the tiers of `cache` are keyed by name, `sessions` by model, version and pool.
    """

    meter: MeterState
    pools: Mapping[str, PoolState]
    sessions: Callable[[], Mapping[tuple[str, str, str], SessionPoolState]] = dict
    cache: Callable[[], Mapping[Tier, CacheTierState]] = dict
    gpu: Callable[[], GpuReading] = GpuReading
    open_connections: Callable[[], int] | None = None
    requests_in_progress: Callable[[], int] | None = None
    shadows_skipped: Callable[[], int] | None = None
