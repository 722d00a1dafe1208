"""The same numbers under the names of NVIDIA Triton, for boards that were made for it.

Names, units and labels are those of docs/user_guide/metrics.md in triton-inference-server/server.
Triton calls them counters without `_total`, which OpenMetrics does not allow: they are untyped
here, and PromQL's rate() does not mind. Unlike Triton's, failures count requests that were
refused because the queue was full or their time was up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

from inference_node.metering.request_metrics import BY_VERSION
from inference_node.metering.statistics import statistics
from inference_node.metering.tally import Tally, Version
from inference_node.protocol.statistics import ModelStatistics

REASONS = ("REJECTED", "CANCELED", "BACKEND", "OTHER")
_REASON_OF = {
    "queue_full": "REJECTED",
    "queue_timeout": "REJECTED",
    "busy": "REJECTED",
    "client_gone": "CANCELED",
    "execution_failed": "BACKEND",
}
_VALUES: tuple[tuple[str, str, Callable[[ModelStatistics], int]], ...] = (
    (
        "nv_inference_request_success",
        "Requests that succeeded",
        lambda of: of.inference_stats.success.count,
    ),
    ("nv_inference_count", "Items executed", lambda of: of.inference_count),
    ("nv_inference_exec_count", "Batches executed", lambda of: of.execution_count),
    (
        "nv_inference_request_duration_us",
        "Arrival to response ready, successful requests, summed",
        lambda of: of.inference_stats.success.ns // 1000,
    ),
    (
        "nv_inference_queue_duration_us",
        "Arrival to dispatch, successful executed requests, summed",
        lambda of: of.inference_stats.queue.ns // 1000,
    ),
    (
        "nv_inference_compute_infer_duration_us",
        "Execution of the request's batch, successful executed requests, summed",
        lambda of: of.inference_stats.compute_infer.ns // 1000,
    ),
    (
        "nv_cache_num_hits_per_model",
        "Requests answered from the cache or with an equal one in flight",
        lambda of: of.inference_stats.cache_hit.count,
    ),
    (
        "nv_cache_num_misses_per_model",
        "Requests that the cache had no answer to",
        lambda of: of.inference_stats.cache_miss.count,
    ),
)


class TritonAliases(Collector):
    """Request, execution and cache metrics of the model versions that were asked for."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        of_all = statistics(self._tally)
        for name, text, value in _VALUES:
            family = UnknownMetricFamily(name, text, labels=BY_VERSION)
            for version, of in of_all.items():
                family.add_metric(version, value(of))
            yield family
        yield self._failures()

    def _failures(self) -> Metric:
        counts: dict[Version, dict[str, int]] = defaultdict(lambda: dict.fromkeys(REASONS, 0))
        for (group, _), sums in self._tally.sums.items():
            by_reason = counts[group.of]
            if group.is_request and not group.succeeded:
                by_reason[_REASON_OF.get(group.error, "OTHER")] += sums.records
        family = UnknownMetricFamily(
            "nv_inference_request_failure",
            "Requests that failed, by reason; those refused by the queue are REJECTED",
            labels=(*BY_VERSION, "reason"),
        )
        for version, by_reason in counts.items():
            for reason, count in by_reason.items():
                family.add_metric((*version, reason), count)
        return family
