"""From the ratio of a metric to its target to a number of replicas.

Source: Kubernetes, "Horizontal Pod Autoscaling", section "Algorithm details", and the controller's
replica_calculator.go. Ratios are float64 there and float here, so that rounding agrees to the bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.hpa.errors import HpaError

# Replicas are an int32 in the API.
MOST_REPLICAS = 2**31 - 1


@dataclass(frozen=True)
class Tolerance:
    """How far a ratio may be below and above 1 without a change, bounds included.

    before_v1_33: compare |1 - ratio| with the tolerance, as releases up to 1.32 did. In float64
    that differs exactly on a bound: a ratio of 1.1 then lies outside a tolerance of 0.1.
    Raises HpaError when a side is negative or not finite.
    """

    scale_down: float = 0.1
    scale_up: float = 0.1
    before_v1_33: bool = False

    def __post_init__(self) -> None:
        for name, value in (("scale_down", self.scale_down), ("scale_up", self.scale_up)):
            if not (math.isfinite(value) and value >= 0):
                raise HpaError(f"tolerance.{name}", value, "a finite number, 0 or more")

    def holds(self, ratio: float) -> bool:
        """Return whether a metric at this ratio to its target asks for no change."""
        if self.before_v1_33:
            return abs(1.0 - ratio) <= (self.scale_down if ratio < 1.0 else self.scale_up)
        return 1.0 - self.scale_down <= ratio <= 1.0 + self.scale_up


def ceil_replicas(replicas: float) -> int:
    """Return the next whole number of replicas, from 0 to MOST_REPLICAS.

    Saturates where older releases wrapped around (kubernetes/kubernetes#141397).
    Raises HpaError for what is not a number.
    """
    if math.isnan(replicas):
        raise HpaError("replicas", replicas, "a number")
    if replicas <= 0:
        return 0
    return MOST_REPLICAS if replicas >= MOST_REPLICAS else math.ceil(replicas)


def replicas_for_ratio(current_replicas: int, ratio: float, tolerance: Tolerance) -> int:
    """Return the replicas that bring a metric at `ratio` to its target: ceil(current * ratio).

    A negative ratio asks for 0. Raises HpaError for a ratio that is not a number.
    """
    if tolerance.holds(ratio):
        return current_replicas
    return ceil_replicas(ratio * current_replicas)


def desired_replicas(
    current_replicas: int, ratios: Sequence[float | None], tolerance: Tolerance
) -> int:
    """Return the largest of the replicas that the metrics' ratios (value / target) ask for.

    None stands for a metric that cannot be read: the others may then still scale up, but not
    down; with none that can be read nothing changes. 0 replicas stay 0: there is no average over
    none. Raises HpaError for a ratio that is not a number.
    """
    proposals = [
        None if ratio is None else replicas_for_ratio(current_replicas, ratio, tolerance)
        for ratio in ratios
    ]
    largest = largest_proposal(current_replicas, proposals)
    return current_replicas if largest is None else largest


def largest_proposal(current_replicas: int, proposals: Sequence[int | None]) -> int | None:
    """Return the largest proposal, or None where nothing may change because a metric failed.

    None among the proposals is a failed metric: with it, none may go below `current_replicas`.
    """
    known = [proposal for proposal in proposals if proposal is not None]
    if not known:
        return None
    largest = max(known)
    failed = len(known) < len(proposals)
    return None if failed and largest < current_replicas else largest


def clamp(replicas: int, min_replicas: int, max_replicas: int) -> int:
    """Return `replicas` within the bounds; where they contradict each other, the maximum holds."""
    return min(max(replicas, min_replicas), max_replicas)
