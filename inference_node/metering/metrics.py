"""What Prometheus reads at `/metrics`."""

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics import exposition as openmetrics

from costs import Catalogue
from inference_node.metering.cost_gauge import CostGauge
from inference_node.metering.device_metrics import DeviceMetrics
from inference_node.metering.request_metrics import RequestMetrics
from inference_node.metering.sources import Sources
from inference_node.metering.state_metrics import StateMetrics
from inference_node.metering.statistics import statistics
from inference_node.metering.tally import Tally, Version
from inference_node.metering.triton_aliases import TritonAliases
from inference_node.protocol.statistics import ModelStatistics
from usage import NodeSample, UsageRecord

# So many records are added up at once, in the event loop: more would be cheaper each, but every
# request that arrives meanwhile waits. 512 take about 0.4 ms.
FOLD_AT = 512


class Metrics:
    """Counters and histograms of one node, fed with its usage records and samples.

    Lives in the event loop. Counting a request puts its record on a list; records are added up
    when there are many, with every sample, and when somebody looks.
    """

    def __init__(self, sources: Sources, prices: Catalogue) -> None:
        self._records: list[UsageRecord] = []
        self._tally = Tally()
        self._cost = CostGauge(prices, self._tally)
        self._device = DeviceMetrics(sources.gpu)
        self._registry = CollectorRegistry()
        for collector in (
            RequestMetrics(self._tally),
            self._cost,
            StateMetrics(sources),
            self._device,
            TritonAliases(self._tally),
        ):
            self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    def count(self, record: UsageRecord) -> None:
        """Count one request or execution."""
        self._records.append(record)
        if len(self._records) >= FOLD_AT:
            self._fold()

    def sample(self, sample: NodeSample) -> None:
        """Take what the node measured of itself; every sample, in order."""
        self._fold()
        self._device.sample(sample)
        self._cost.sample(sample)

    def statistics(self) -> dict[Version, ModelStatistics]:
        """Return Triton's statistics of every model version that was asked for."""
        self._fold()
        return statistics(self._tally)

    def expose(self, accept: str | None = None) -> tuple[bytes, str]:
        """Return all metrics and their content type: Prometheus' text format, or OpenMetrics for
        a client whose `Accept` header names that and not the other."""
        self._fold()
        kinds = {part.partition(";")[0].strip().lower() for part in (accept or "").split(",")}
        # Both say the same here, and OpenMetrics takes half as long again to write.
        if "application/openmetrics-text" in kinds and not kinds & {"text/plain", "*/*", "text/*"}:
            text: bytes = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _fold(self) -> None:
        records, self._records = self._records, []
        self._tally.fold(records)
