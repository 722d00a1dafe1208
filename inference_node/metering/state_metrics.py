"""Gauges and counters of the node's parts, read at the moment of a scrape."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from inference_node.cache.tiers import Tier
from inference_node.metering.sources import (
    CacheTierState,
    PoolState,
    SessionPoolState,
    Sources,
)
from inference_node.models.session_pool import LoadCounts

_Values = Iterable[tuple[tuple[str, ...], float]]


class StateMetrics(Collector):
    """Pools, sessions, cache tiers, connections and the meter."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._build = {
            "version": version("inference-cost"),
            "onnxruntime": version("onnxruntime"),
            "python": platform.python_version(),
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the families; parts that the node has not show nothing."""
        sources = self._sources
        yield InfoMetricFamily("inference_node_build", "What runs here", value=self._build)
        yield from _pools(sources.pools)
        yield from _sessions(sources.sessions())
        yield from _cache(sources.cache())
        for name, text, read in (
            ("inference_open_connections", "Connections of clients", sources.open_connections),
            (
                "inference_requests_in_progress",
                "Requests accepted and not yet answered",
                sources.requests_in_progress,
            ),
        ):
            if read is not None:
                yield GaugeMetricFamily(name, text, value=read())
        if sources.shadows_skipped is not None:
            yield CounterMetricFamily(
                "inference_shadows_skipped",
                "Requests that no shadow saw, since too many waited",
                value=sources.shadows_skipped(),
            )
        yield CounterMetricFamily(
            "usage_records_dropped",
            "Usage records and samples lost because the spool could not be written",
            value=sources.meter.records_dropped,
        )
        yield GaugeMetricFamily(
            "usage_records_buffered",
            "Usage records and samples that wait in memory for the spool",
            value=sources.meter.records_buffered,
        )
        yield GaugeMetricFamily(
            "usage_spool_failing",
            "1 while the spool cannot be written",
            value=int(sources.meter.failing),
        )


def _pools(pools: Mapping[str, PoolState]) -> Iterator[Metric]:
    yield _gauge(
        "inference_queue_depth",
        "Requests that wait",
        ("pool",),
        (((name,), pool.waiting) for name, pool in pools.items()),
    )
    yield _gauge(
        "inference_workers_ready",
        "Workers ready",
        ("pool",),
        (((name,), pool.workers) for name, pool in pools.items()),
    )
    yield _gauge(
        "inference_workers_busy",
        "Workers that execute now",
        ("pool",),
        (((name,), pool.busy) for name, pool in pools.items()),
    )
    waiting: Counter[tuple[str, ...]] = Counter()
    for pool in pools.values():
        for model, _, count in pool.waiting_by_level():
            waiting[model.name, model.version] += count
    yield _gauge(
        "nv_inference_pending_request_count",
        "Requests that wait, by model version",
        ("model", "version"),
        waiting.items(),
    )


def _sessions(sessions: Mapping[tuple[str, str, str], SessionPoolState]) -> Iterator[Metric]:
    labels = ("model", "version", "pool")
    gauges: tuple[tuple[str, str, Callable[[SessionPoolState], int]], ...] = (
        ("inference_sessions_ready", "Sessions loaded", lambda pool: pool.ready),
        ("inference_sessions_loading", "Sessions being loaded", lambda pool: pool.loading),
        ("inference_sessions_target", "Sessions that scaling wants", lambda pool: pool.target),
    )
    counters: tuple[tuple[str, str, Callable[[LoadCounts], float]], ...] = (
        ("inference_model_loads", "Sessions loaded since the start", lambda of: of.loads),
        ("inference_model_load_failures", "Loads that failed", lambda of: of.failures),
        (
            "inference_model_load_seconds",
            "Time that loads took, warm-up included",
            lambda of: (of.load_us + of.warm_up_us) / 1e6,
        ),
        ("inference_cold_starts", "Loads that requests waited for", lambda of: of.cold_starts),
    )
    for name, text, value in gauges:
        yield _gauge(name, text, labels, ((of, value(pool)) for of, pool in sessions.items()))
    for name, text, total in counters:
        values = ((of, total(pool.counts)) for of, pool in sessions.items())
        yield _counter(name, text, labels, values)


def _cache(tiers: Mapping[Tier, CacheTierState]) -> Iterator[Metric]:
    labels = ("tier",)
    kept = [((name,), tier.entries) for name, tier in tiers.items()]
    sizes = [((name,), tier.size_bytes) for name, tier in tiers.items()]
    for name, text, values in (
        ("inference_cache_entries", "Answers kept", kept),
        ("inference_cache_bytes", "Bytes that the answers kept take", sizes),
    ):
        known = [(key, value) for key, value in values if value is not None]
        yield _gauge(name, text, labels, known)
    counters: tuple[tuple[str, str, Callable[[CacheTierState], int]], ...] = (
        ("inference_cache_evictions", "Answers pushed out to make room", lambda of: of.evictions),
        ("inference_cache_failures", "Calls that a tier's store failed", lambda of: of.failures),
        ("inference_cache_dropped", "Answers that a tier did not get", lambda of: of.dropped),
    )
    for name, text, value in counters:
        yield _counter(name, text, labels, (((tier,), value(of)) for tier, of in tiers.items()))


def _gauge(name: str, text: str, labels: tuple[str, ...], values: _Values) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values:
        gauge.add_metric(key, value)
    return gauge


def _counter(name: str, text: str, labels: tuple[str, ...], values: _Values) -> Metric:
    counter = CounterMetricFamily(name, text, labels=labels)
    for key, value in values:
        counter.add_metric(key, value)
    return counter
