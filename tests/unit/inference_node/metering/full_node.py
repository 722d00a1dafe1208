"""Every part of a node that metrics read, with numbers that a test sets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from costs import Catalogue, Machine, Price
from inference_node.cache.tiers import Tier
from inference_node.metering.gpu import GpuReading
from inference_node.metering.metrics import Metrics
from inference_node.metering.sources import Sources
from inference_node.models.session_pool import LoadCounts
from tests.fixtures_usage import MINUTE_US, MONDAY_US, node_sample, usage_record

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
MICRO_USD_PER_HOUR = 178_500
PRICES = Catalogue([Price(MACHINE, MICRO_USD_PER_HOUR, None, "2025-04-04", "test")])


@dataclass
class MeterNumbers:
    records_dropped: int = 0
    records_buffered: int = 0
    failing: bool = False


@dataclass
class VersionNumbers:
    name: str = "m"
    version: str = "1"


@dataclass
class PoolNumbers:
    waiting: int = 0
    workers: int = 2
    busy: int = 0
    levels: list[tuple[VersionNumbers, int, int]] = field(default_factory=list)

    def waiting_by_level(self) -> Iterable[tuple[VersionNumbers, int, int]]:
        return self.levels


@dataclass
class SessionNumbers:
    ready: int = 1
    loading: int = 0
    target: int = 1
    counts: LoadCounts = field(default_factory=LoadCounts)


@dataclass
class TierNumbers:
    entries: int | None = 0
    size_bytes: int | None = 0
    evictions: int = 0
    failures: int = 0
    dropped: int = 0


class FullNode:
    """A node with everything there is: two pools, all tiers of the cache, a GPU, a price."""

    def __init__(self) -> None:
        self.meter = MeterNumbers()
        self.pools = {
            "cpu": PoolNumbers(
                waiting=3, levels=[(VersionNumbers(), 1, 1), (VersionNumbers(), 0, 2)]
            ),
            "fast": PoolNumbers(waiting=4, levels=[(VersionNumbers(), 1, 4)]),
        }
        self.sessions = {("m", "1", "cpu"): SessionNumbers()}
        self.tiers: dict[Tier, TierNumbers] = {
            "memory": TierNumbers(),
            "disk": TierNumbers(),
            "redis": TierNumbers(entries=None, size_bytes=None),
        }
        self.gpu = GpuReading(0.25, 2**30, 70.5, 12_000.0)
        self.metrics = Metrics(
            Sources(
                meter=self.meter,
                pools=self.pools,
                sessions=lambda: self.sessions,
                cache=lambda: self.tiers,
                gpu=lambda: self.gpu,
                open_connections=lambda: 3,
                requests_in_progress=lambda: 2,
                shadows_skipped=lambda: 5,
            ),
            PRICES,
        )

    def serve_a_minute(self, **fields: Any) -> None:
        """Count a record of every kind and a full minute of samples."""
        self.metrics.count(usage_record(**fields))
        self.metrics.count(usage_record(route="shadow", parent_id=usage_record().record_id))
        self.metrics.count(usage_record(status=503, error="queue_full", batch_size=0, compute_us=0))
        for second in range(1, 62):
            at_us = MONDAY_US + second * MINUTE_US // 60
            self.metrics.sample(node_sample(sampled_at_us=at_us))


def exposed(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample that `metrics` expose, by name and labels."""
    text, _ = metrics.expose()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def names(metrics: Metrics) -> Iterator[str]:
    """Yield the name and type of each family as its TYPE line has it."""
    text, _ = metrics.expose()
    for line in text.decode().splitlines():
        if line.startswith("# TYPE "):
            yield line.removeprefix("# TYPE ")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return one sample, None when it is not there."""
    return exposed(metrics).get((name, frozenset(labels.items())))
