"""The ratio of what pods use to what they should use.

Source: the controller's metrics/utilization.go. Averages are cut to whole percent or milli-units
before the division by the target, which is float64 there and float here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.hpa.ratio import MOST_REPLICAS

MetricFailure = Literal["no_metrics", "no_matching_metrics", "missing_request", "no_pods"]


class MetricUnavailableError(Exception):
    """A metric proposes nothing now, although all values given were acceptable.

    no_metrics: no sample that counts. no_matching_metrics: the pods with samples request nothing.
    missing_request: a pod requests nothing, so its share is undefined. no_pods: nothing to size by.
    """

    def __init__(self, reason: MetricFailure) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Usage:
    """ratio: current / target. current: percent of the request or milli-units for each pod.

    raw_average_m: milli-units for each pod where `current` is a percentage.
    """

    ratio: float
    current: int
    raw_average_m: int | None


def utilization(values: Sequence[tuple[int, int | None]], target_pct: int) -> Usage:
    """Return the sum of the values in percent of the sum of the requests, both in milli-units.

    values: (value, request) of each sample; one without a request is of an unknown pod and left
    out. Raises MetricUnavailableError when the requests sum to 0.
    """
    known = [(value, request) for value, request in values if request is not None]
    used_m = sum(value for value, _ in known)
    requested_m = sum(request for _, request in known)
    if requested_m == 0:
        raise MetricUnavailableError("no_matching_metrics")
    # A percentage is an int32 in the API, as the number of replicas is.
    current_pct = min(used_m * 100 // requested_m, MOST_REPLICAS)
    return Usage(current_pct / target_pct, current_pct, used_m // len(known))


def average(values: Sequence[int], target_m: int) -> Usage:
    """Return the mean of the values in milli-units, at least one of them."""
    mean_m = sum(values) // len(values)
    return Usage(float(mean_m) / float(target_m), mean_m, None)
