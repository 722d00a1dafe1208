"""Which replicas of a deployment count when a metric is averaged over them.

Source: groupPods of the controller's replica_calculator.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.hpa.errors import HpaError
from simulator.hpa.stabilization import SECOND_US

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]
Group = Literal["ready", "unready", "missing", "ignored"]

# Values of metrics are int64 milli-units in the API.
LARGEST_MILLI = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Readiness:
    """The pod's Ready condition and since when it is as it is."""

    ready: bool
    since_us: int


@dataclass(frozen=True, slots=True)
class Pod:
    """What is known of one pod; None where it has no Ready condition or did not start yet."""

    phase: Phase = "Running"
    deleting: bool = False
    started_at_us: int | None = None
    readiness: Readiness | None = None

    @property
    def serves(self) -> bool:
        """Whether the pod is running and ready, which is all that a total's share asks for."""
        return self.phase == "Running" and self.readiness is not None and self.readiness.ready


@dataclass(frozen=True, slots=True)
class Sample:
    """A pod's value of one metric in milli-units, averaged over the window that ends at `at_us`.

    Raises HpaError when the value is negative or no int64.
    """

    value_m: int
    at_us: int
    window_us: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.value_m <= LARGEST_MILLI:
            raise HpaError("value_m", self.value_m, f"a whole number from 0 to {LARGEST_MILLI}")


@dataclass(frozen=True)
class CpuInitialization:
    """How long a pod's CPU use says nothing about its load; the defaults are Kubernetes'.

    period_us: after its start a pod counts only when it is ready and its sample lies wholly after
    it became so. initial_readiness_delay_us: a pod that stopped being ready no later than that
    after its start never was ready.
    """

    period_us: int = 300 * SECOND_US
    initial_readiness_delay_us: int = 30 * SECOND_US


def group_pods(
    pods: Sequence[Pod],
    samples: Sequence[Sample | None],
    now_us: int,
    initialization: CpuInitialization | None,
) -> list[Group]:
    """Return the group of each pod; `samples` are in the pods' order, None where there is none.

    initialization: for the metric CPU, else None, for no other metric looks at readiness.
    """
    return [
        _group(pod, sample, now_us, initialization)
        for pod, sample in zip(pods, samples, strict=True)
    ]


def _group(
    pod: Pod, sample: Sample | None, now_us: int, initialization: CpuInitialization | None
) -> Group:
    if pod.deleting or pod.phase == "Failed":
        return "ignored"
    if pod.phase == "Pending":
        return "unready"
    if sample is None:
        return "missing"
    if initialization is not None and _settles(pod, sample, now_us, initialization):
        return "unready"
    return "ready"


def _settles(pod: Pod, sample: Sample, now_us: int, initialization: CpuInitialization) -> bool:
    readiness = pod.readiness
    if readiness is None or pod.started_at_us is None:
        return True
    if pod.started_at_us + initialization.period_us > now_us:
        return not readiness.ready or sample.at_us < readiness.since_us + sample.window_us
    never_ready_until_us = pod.started_at_us + initialization.initial_readiness_delay_us
    return not readiness.ready and never_ready_until_us > readiness.since_us
