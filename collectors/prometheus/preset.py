"""What a preset says: which metrics of an exporter mean what, as data. All are in presets.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from usage.record import CacheOutcome

Labels = Mapping[str, str]

SECONDS = 1_000_000
MILLISECONDS = 1_000
MICROSECONDS = 1
# What counts in parts of a whole is kept in millionths.
PARTS = 1_000_000

SampleField = Literal[
    "workers_ready",
    "workers_loading",
    "queue_depth",
    "cpu_utilization",
    "memory_bytes",
    "gpu_utilization",
    "gpu_memory_bytes",
    "gpu_power_w",
    # No fields of a sample: how many machines there are, how many requests are being executed.
    "replicas",
    "running",
]

# All in whole numbers: counts, bytes, microseconds. `worker_us` is time of workers; where an
# exporter has none, it is made of `batch_us` (each request the duration of its whole batch),
# `executions` (batches, in PARTS) and `executed` (requests in them). `busy_us` is that of the whole
# node, shared out to its models. `cpu_us` is time of all CPUs, `cpu_idle_us` the idle part of it.
Measure = Literal[
    "requests",
    "items",
    "executed_items",
    "queue_us",
    "compute_us",
    "total_us",
    "request_bytes",
    "response_bytes",
    "input_tokens",
    "output_tokens",
    "worker_us",
    "batch_us",
    "executions",
    "executed",
    "busy_us",
    "cpu_us",
    "cpu_idle_us",
    "cache_memory",
    "cache_disk",
    "cache_redis",
    "cache_coalesced",
    "cache_miss",
]

# Requests by what the cache had for them, which exporters count apart from everything else.
CACHE_OUTCOMES: Final[Mapping[Measure, CacheOutcome]] = {
    "cache_memory": "memory",
    "cache_disk": "disk",
    "cache_redis": "redis",
    "cache_coalesced": "coalesced",
    "cache_miss": "miss",
}


@dataclass(frozen=True)
class Outcome:
    """HTTP status and error code by the value of `label`: as `known` has it, else the value itself
    where it is a status, else 500 with the value as its code."""

    label: str
    known: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)
    error_label: str | None = None

    def of(self, labels: Labels) -> tuple[int, str | None]:
        """Return status and error of the series with these labels."""
        value = labels.get(self.label, "")
        error = labels.get(self.error_label, "") if self.error_label else ""
        if value in self.known:
            return self.known[value]
        if len(value) == 3 and value.isdecimal() and 100 <= int(value) <= 599:
            return int(value), error or None
        return 500, error or value.lower() or "failed"


SUCCEEDED = 200, None


@dataclass(frozen=True)
class Gauge:
    """A metric whose value, times `scale`, is `field`; several series of a node are taken `over`.

    `marks` is false for what every process exposes: to have it makes nobody a node.
    """

    metric: str
    field: SampleField
    scale: int | Decimal = 1
    over: Literal["sum", "mean", "count"] = "sum"
    marks: bool = True


@dataclass(frozen=True)
class Counter:
    """A metric whose increase, times `scale` and rounded down, adds to `measure`.

    `where` restricts it to series whose label has one of some values.
    """

    metric: str
    measure: Measure
    scale: int = 1
    outcome: Outcome | None = None
    where: tuple[str, frozenset[str]] | None = None

    def applies(self, labels: Labels) -> bool:
        """Tell whether a series with these labels is meant."""
        return self.where is None or labels.get(self.where[0], "") in self.where[1]


@dataclass(frozen=True)
class Histogram:
    """A classic histogram: requests by how long they took, in units of `scale` microseconds."""

    base: str
    scale: int
    outcome: Outcome | None = None

    @property
    def metric(self) -> str:
        """The name of its series by `le`."""
        return f"{self.base}_bucket"


Meaning = Gauge | Counter | Histogram


@dataclass(frozen=True)
class Preset:
    """What one kind of exporter tells.

    `nodes` are label names that together name a node, by preference: the first whose labels are all
    there. `models` and `versions` are label names by preference. With `needs_selector` its metrics
    are those of anybody, so the user must say whom to ask. With `own` it is this product's node.
    """

    name: str
    gauges: tuple[Gauge, ...] = ()
    counters: tuple[Counter, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    nodes: tuple[tuple[str, ...], ...] = (("instance",),)
    models: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    pool: Literal["cpu", "gpu"] = "cpu"
    needs_selector: bool = False
    own: bool = False

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """Everything it says, of which several may be about one metric."""
        return (*self.gauges, *self.counters, *self.histograms)

    def by_metric(self) -> dict[str, list[Meaning]]:
        """Return the meanings of each metric, by its name."""
        found: dict[str, list[Meaning]] = {}
        for meaning in self.meanings:
            found.setdefault(meaning.metric, []).append(meaning)
        return found

    @property
    def counts_requests(self) -> bool:
        """Whether it tells of requests."""
        return any(counter.measure == "requests" for counter in self.counters)

    @property
    def has_replicas(self) -> bool:
        """Whether it tells of numbers of machines rather than of machines."""
        return any(gauge.field == "replicas" for gauge in self.gauges)
