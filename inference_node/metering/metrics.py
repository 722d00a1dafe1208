"""What Prometheus reads at `/metrics`."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inference_node.metering.meter import Meter
from inference_node.scheduling.batcher import Batcher
from usage import UsageRecord

SECONDS = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075,
    0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0,
)  # fmt: skip
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counters and histograms of one node, fed with its usage records."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, batcher: Batcher, meter: Meter) -> None:
        self._registry = CollectorRegistry()
        by_model = ("model", "version")
        self._requests = Counter(
            "inference_requests",
            "Requests by outcome",
            (*by_model, "status", "error"),
            registry=self._registry,
        )
        self._latency, self._queue, self._compute = (
            Histogram(name, text, by_model, buckets=SECONDS, registry=self._registry)
            for name, text in (
                ("request_latency_seconds", "Arrival to response ready, successful requests"),
                ("inference_queue_seconds", "Arrival to dispatch, executed requests"),
                ("inference_compute_seconds", "Execution of the request's batch"),
            )
        )
        self._batch_size = Histogram(
            "inference_batch_size",
            "Items of the batch that a request was executed in",
            by_model,
            buckets=SIZES,
            registry=self._registry,
        )
        self._registry.register(_State(batcher, meter))

    def count(self, record: UsageRecord) -> None:
        """Count one request."""
        # What a client made up never becomes a label: it would grow without bound.
        known = record.variant is not None
        model = (record.model if known else None) or "unknown"
        version = (record.model_version if known else None) or "unknown"
        self._requests.labels(model, version, str(record.status), record.error or "").inc()
        if record.status < 400:
            self._latency.labels(model, version).observe(record.total_us / 1e6)
        if record.batch_size:
            self._queue.labels(model, version).observe(record.queue_us / 1e6)
            self._compute.labels(model, version).observe(record.compute_us / 1e6)
            self._batch_size.labels(model, version).observe(record.batch_size)

    def expose(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _State(Collector):
    """What is read at the moment of the scrape."""

    def __init__(self, batcher: Batcher, meter: Meter) -> None:
        self._batcher = batcher
        self._meter = meter

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "inference_queue_depth", "Requests that wait", value=self._batcher.waiting
        )
        yield GaugeMetricFamily(
            "inference_workers_ready", "Workers ready", value=self._batcher.workers
        )
        yield CounterMetricFamily(
            "usage_records_dropped",
            "Usage records and samples lost because the spool could not be written",
            value=self._meter.records_dropped,
        )
