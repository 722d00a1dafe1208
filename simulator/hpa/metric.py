"""What one metric proposes, before bounds, rate limits and stabilisation.

Source: the controller's replica_calculator.go. Values are whole milli-units and saturate at int64;
ratios are float64 there and float here, in the same order of operations.
"""

import math
from dataclasses import dataclass
from typing import Literal

from simulator.hpa.errors import HpaError
from simulator.hpa.pods import LARGEST_MILLI, CpuInitialization, Pod, Sample, group_pods
from simulator.hpa.ratio import Tolerance, ceil_replicas
from simulator.hpa.usage import MetricUnavailableError, Usage, average, utilization

MetricKind = Literal[
    "resource_utilization",
    "pods_average",
    "object_value",
    "object_average",
    "external_value",
    "external_average",
]


@dataclass(frozen=True)
class Metric:
    """A metric and its target: percent of the request for resource_utilization, else milli-units.

    cpu: whether pods that are not ready, or only became so, are left out; the controller does so
    for the resource CPU alone. A container's resource is a resource metric with that container's
    samples and requests. Raises HpaError when the target is not above 0 or no int64.
    """

    kind: MetricKind
    target: int
    cpu: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.target <= LARGEST_MILLI:
            raise HpaError("target", self.target, f"a whole number from 1 to {LARGEST_MILLI}")

    @property
    def sizes_from_zero(self) -> bool:
        """Whether the metric has a value while there are no pods."""
        return self.kind not in ("resource_utilization", "pods_average")


@dataclass(frozen=True)
class Reading:
    """What was read for one metric.

    Of metrics over pods: `samples` and, for resource_utilization, `requests_m` in the order of the
    pods, None where a pod has none; `unmatched_m` are samples of pods that no longer exist.
    Of object and external metrics: `values_m`, which are summed.
    Raises HpaError when a value is negative or no int64.
    """

    samples: tuple[Sample | None, ...] = ()
    requests_m: tuple[int | None, ...] = ()
    unmatched_m: tuple[int, ...] = ()
    values_m: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("requests_m", "unmatched_m", "values_m"):
            for value in getattr(self, name):
                if value is not None and not 0 <= value <= LARGEST_MILLI:
                    raise HpaError(name, value, f"whole numbers from 0 to {LARGEST_MILLI}")


@dataclass(frozen=True)
class Proposal:
    """replicas: what the metric asks for. The rest is what the metric's status shows.

    utilization_pct and raw_average_m: of a resource_utilization. usage_m: of the others, in total
    for a value, else for each pod; None where there are no pods to share a total.
    """

    replicas: int
    utilization_pct: int | None = None
    raw_average_m: int | None = None
    usage_m: int | None = None


@dataclass(frozen=True)
class Target:
    """The deployment that a metric is applied to, at one instant.

    spec_replicas: what it should have. status_replicas: what it has, of which `pods` are known.
    """

    spec_replicas: int
    status_replicas: int
    pods: tuple[Pod, ...]
    now_us: int


def propose(
    metric: Metric,
    reading: Reading,
    target: Target,
    tolerance: Tolerance,
    initialization: CpuInitialization,
) -> Proposal:
    """Return what the metric asks for.

    Raises MetricUnavailableError when what was read does not allow a proposal, and HpaError when
    samples or requests are not one for each pod.
    """
    if metric.kind in ("resource_utilization", "pods_average"):
        return _from_pods(metric, reading, target, tolerance, initialization)
    if not reading.values_m:
        raise MetricUnavailableError("no_metrics")
    total_m = min(sum(reading.values_m), LARGEST_MILLI)
    if metric.kind in ("object_value", "external_value"):
        return _from_total(metric, total_m, target, tolerance)
    return _from_share(metric, total_m, target, tolerance)


def _from_pods(
    metric: Metric,
    reading: Reading,
    target: Target,
    tolerance: Tolerance,
    initialization: CpuInitialization,
) -> Proposal:
    over_requests = metric.kind == "resource_utilization"
    requests_m = reading.requests_m if over_requests else (None,) * len(target.pods)
    for name, given in (("samples", reading.samples), ("requests_m", requests_m)):
        if len(given) != len(target.pods):
            raise HpaError(name, f"{len(given)} values", f"{len(target.pods)}, one for each pod")
    if not target.pods:
        raise MetricUnavailableError("no_pods" if reading.unmatched_m else "no_metrics")

    groups = group_pods(
        target.pods, reading.samples, target.now_us, initialization if metric.cpu else None
    )
    values: list[tuple[int, int | None]] = [(value_m, None) for value_m in reading.unmatched_m]
    values += [
        (sample.value_m, request_m)
        for sample, request_m, group in zip(reading.samples, requests_m, groups, strict=True)
        if sample is not None and group == "ready"
    ]
    if not values:
        raise MetricUnavailableError("no_metrics")
    if over_requests and None in requests_m:
        raise MetricUnavailableError("missing_request")

    usage = _usage(metric, values)
    replicas = None
    unready_matter = "unready" in groups and usage.ratio > 1.0
    if not unready_matter and "missing" not in groups:
        replicas = _scaled(target, usage.ratio, groups.count("ready"), tolerance)
    else:
        for request_m, group in zip(requests_m, groups, strict=True):
            if group == "missing" and usage.ratio < 1.0:
                values.append((_presumed_m(metric, request_m), request_m))
            elif usage.ratio > 1.0 and group in ("missing", "unready"):
                values.append((0, request_m))
        presumed = _usage(metric, values).ratio
        replicas = _scaled(target, presumed, len(values), tolerance)
        turned = (usage.ratio < 1.0 < presumed) or (presumed < 1.0 < usage.ratio)
        against = (presumed < 1.0 and replicas > target.spec_replicas) or (
            presumed > 1.0 and replicas < target.spec_replicas
        )
        if turned or against:
            replicas = target.spec_replicas
    if over_requests:
        return Proposal(replicas, utilization_pct=usage.current, raw_average_m=usage.raw_average_m)
    return Proposal(replicas, usage_m=usage.current)


def _usage(metric: Metric, values: list[tuple[int, int | None]]) -> Usage:
    if metric.kind == "resource_utilization":
        return utilization(values, metric.target)
    return average([value_m for value_m, _ in values], metric.target)


def _presumed_m(metric: Metric, request_m: int | None) -> int:
    """Return what a pod without a sample is taken to use when the others use too little."""
    if request_m is None:
        return metric.target
    return request_m * max(100, metric.target) // 100


def _scaled(target: Target, ratio: float, counted_pods: int, tolerance: Tolerance) -> int:
    if tolerance.holds(ratio):
        return target.spec_replicas
    return ceil_replicas(ratio * counted_pods)


def _from_total(metric: Metric, total_m: int, target: Target, tolerance: Tolerance) -> Proposal:
    ratio = float(total_m) / float(metric.target)
    if target.spec_replicas == 0:
        return Proposal(ceil_replicas(ratio), usage_m=total_m)
    if tolerance.holds(ratio):
        return Proposal(target.spec_replicas, usage_m=total_m)
    if not target.pods:
        raise MetricUnavailableError("no_pods")
    serving = sum(pod.serves for pod in target.pods)
    return Proposal(ceil_replicas(ratio * serving), usage_m=total_m)


def _from_share(metric: Metric, total_m: int, target: Target, tolerance: Tolerance) -> Proposal:
    needed = float(total_m) / float(metric.target)
    if target.status_replicas == 0:
        return Proposal(ceil_replicas(needed))
    ratio = float(total_m) / (float(metric.target) * float(target.status_replicas))
    replicas = target.status_replicas if tolerance.holds(ratio) else ceil_replicas(needed)
    # The controller does not divide a total that may have overflowed, but only of external metrics.
    overflowed = metric.kind == "external_average" and float(total_m) >= float(LARGEST_MILLI)
    usage_m = LARGEST_MILLI if overflowed else math.ceil(float(total_m) / target.status_replicas)
    return Proposal(replicas, usage_m=min(usage_m, LARGEST_MILLI))
