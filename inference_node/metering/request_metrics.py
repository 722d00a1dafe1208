"""Metrics of requests and executions, made from the tally of usage records."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

import numpy as np
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from inference_node.errors import RequestError
from inference_node.metering.histogram import (
    WIDTH,
    Int64s,
    cumulative,
    cumulative_sizes,
)
from inference_node.metering.tally import Group, Sums, Tally

BY_VERSION = ("model", "version")


class RequestMetrics(Collector):
    """Counters and histograms by model version.

    A request is what a client asked for. What the node executed on behalf of another request, for
    a shadow or a cascade, counts as an execution only.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        by_group: dict[Group, Sums] = defaultdict(Sums)
        for (group, _), sums in self._tally.sums.items():
            by_group[group] = by_group[group].plus(sums)
        requests = {group: sums for group, sums in by_group.items() if group.is_request}
        yield from _requests(requests)
        yield from _on_behalf(by_group)
        yield from _executions(self._tally.sums)
        yield from self._histograms(by_group)

    def _histograms(self, by_group: Mapping[Group, Sums]) -> Iterator[Metric]:
        yield _durations(
            "request_latency_seconds",
            "Arrival to response ready, successful requests",
            (*BY_VERSION, "priority"),
            self._tally.latency(),
            lambda group: (*group.of, group.priority) if group.succeeded else None,
            {group: sums.total_us for group, sums in by_group.items()},
        )
        executed_us: dict[Group, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for (group, batch_size), sums in self._tally.sums.items():
            if batch_size:
                queue_us, compute_us = executed_us[group]
                executed_us[group] = queue_us + sums.queue_us, compute_us + sums.compute_us
        yield _durations(
            "inference_queue_seconds",
            "Arrival to dispatch, executed requests",
            BY_VERSION,
            self._tally.queue(),
            lambda group: group.of,
            {group: queue_us for group, (queue_us, _) in executed_us.items()},
        )
        yield _durations(
            "inference_compute_seconds",
            "Execution of the batch that a request was in",
            BY_VERSION,
            self._tally.compute(),
            lambda group: group.of,
            {group: compute_us for group, (_, compute_us) in executed_us.items()},
        )


def _requests(requests: Mapping[Group, Sums]) -> Iterator[Metric]:
    yield _counter(
        "inference_requests",
        "Requests by outcome; error is the short code, empty where there is none",
        (*BY_VERSION, "status", "error"),
        (((*g.of, str(g.status), g.error), s.records) for g, s in requests.items()),
    )
    yield _counter(
        "inference_errors",
        "Requests that were not answered as asked, by short code",
        ("code",),
        [
            # From 0 on: an increase from nothing to something is none to Prometheus.
            *(((code,), 0) for code in _codes(RequestError)),
            *(((g.error,), s.records) for g, s in requests.items() if g.error),
        ],
    )
    yield _counter(
        "inference_items",
        "Items in requests, executed or not",
        BY_VERSION,
        ((g.of, s.items) for g, s in requests.items()),
    )
    yield _counter(
        "inference_request_bytes",
        "Bodies of requests, bytes",
        BY_VERSION,
        ((g.of, s.request_bytes) for g, s in requests.items()),
    )
    yield _counter(
        "inference_response_bytes",
        "Bodies of answers, bytes",
        BY_VERSION,
        ((g.of, s.response_bytes) for g, s in requests.items()),
    )
    yield _counter(
        "inference_cache_lookups",
        "Requests by where their answer came from; bypass: the cache was not asked",
        (*BY_VERSION, "outcome"),
        (((*g.of, g.cache), s.records) for g, s in requests.items()),
    )


def _on_behalf(by_group: Mapping[Group, Sums]) -> Iterator[Metric]:
    yield _counter(
        "inference_on_behalf",
        "Executions for another request: shadow, or cascade_attempt that was not confident",
        (*BY_VERSION, "route"),
        (((*g.of, g.route), s.records) for g, s in by_group.items() if not g.is_request),
    )


def _executions(sums: Mapping[tuple[Group, int], Sums]) -> Iterator[Metric]:
    executed = [(g, size, s) for (g, size), s in sums.items() if size]
    yield _counter(
        "inference_executions",
        "Batches executed; a batch is counted in parts, with each of its requests",
        BY_VERSION,
        ((g.of, Fraction(s.items, size)) for g, size, s in executed),
    )
    yield _counter(
        "inference_executed_items",
        "Items executed",
        BY_VERSION,
        ((g.of, s.items) for g, _, s in executed),
    )
    yield _counter(
        "inference_worker_busy_seconds",
        "Time that workers executed, by device",
        ("device",),
        (((g.pool,), Fraction(s.item_us, size * 1_000_000)) for g, size, s in executed),
    )
    sizes: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for group, size, part in executed:
        sizes[group.of].append((size, part.records))
    histogram = HistogramMetricFamily(
        "inference_batch_size",
        "Items of the batch that a request was executed in",
        labels=BY_VERSION,
    )
    for labels, counts in sizes.items():
        total = sum(size * count for size, count in counts)
        histogram.add_metric(labels, cumulative_sizes(counts), total)
    yield histogram


def _codes(kind: type[RequestError]) -> set[str]:
    return {kind.code}.union(*(_codes(special) for special in kind.__subclasses__()))


def _counter(
    name: str,
    text: str,
    labels: tuple[str, ...],
    values: Iterable[tuple[tuple[str, ...], int | Fraction]],
) -> CounterMetricFamily:
    """Return a counter; values of the same labels are added up."""
    total: dict[tuple[str, ...], int | Fraction] = defaultdict(int)
    for key, value in values:
        total[key] += value
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in total.items():
        family.add_metric(key, float(value))
    return family


def _durations(
    name: str,
    text: str,
    labels: tuple[str, ...],
    counts: Iterable[tuple[Group, Int64s]],
    key_of: Callable[[Group], tuple[str, ...] | None],
    sum_us: Mapping[Group, int],
) -> HistogramMetricFamily:
    """Return a histogram in seconds; groups of the same key are added up, those of None left."""
    by_key: dict[tuple[str, ...], Int64s] = defaultdict(lambda: np.zeros(WIDTH, np.int64))
    total_us: dict[tuple[str, ...], int] = defaultdict(int)
    for group, row in counts:
        key = key_of(group)
        if key is not None and row.any():
            by_key[key] += row
            total_us[key] += sum_us[group]
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, row in by_key.items():
        family.add_metric(key, cumulative(row.tolist()), total_us[key] / 1e6)
    return family
