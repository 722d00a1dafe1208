"""One decision of the autoscaler of one deployment, from what it sees to the replicas it sets.

Source: reconcileAutoscaler of the controller's horizontal.go. The caller decides when the next
sync is due (Kubernetes: every 15 s) and carries the state over to it.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from simulator.hpa.errors import HpaError
from simulator.hpa.metric import Metric, Proposal, Reading, Target, propose
from simulator.hpa.pods import CpuInitialization
from simulator.hpa.rate_limit import (
    Events,
    Limited,
    LimitReason,
    limited_by_policies,
    limited_without_behavior,
    recorded,
)
from simulator.hpa.ratio import MOST_REPLICAS, Tolerance, clamp, largest_proposal
from simulator.hpa.rules import Behavior
from simulator.hpa.stabilization import (
    SECOND_US,
    Advice,
    Windows,
    stabilize,
    stabilize_down_only,
)
from simulator.hpa.usage import MetricUnavailableError

AbleToScaleReason = Literal[
    "SucceededGetScale",
    "SucceededRescale",
    "ReadyForNewScale",
    "ScaleUpStabilized",
    "ScaleDownStabilized",
]


@dataclass(frozen=True)
class HpaSpec:
    """What one autoscaler is told; without a behavior its older, simpler rules hold.

    min_replicas 0 needs an object or external metric: from pods alone, none could lead back up.
    The API server insists on that, the rule itself does not.
    Raises HpaError when the bounds are not 0 <= min <= max and 1 <= max <= 2^31 - 1.
    """

    metrics: tuple[Metric, ...]
    max_replicas: int
    min_replicas: int = 1
    behavior: Behavior | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.max_replicas <= MOST_REPLICAS:
            accepted = f"a whole number from 1 to {MOST_REPLICAS}"
            raise HpaError("max_replicas", self.max_replicas, accepted)
        if not 0 <= self.min_replicas <= self.max_replicas:
            accepted = f"a whole number from 0 to max_replicas, {self.max_replicas}"
            raise HpaError("min_replicas", self.min_replicas, accepted)


@dataclass(frozen=True)
class HpaSettings:
    """What holds for all autoscalers of a cluster; the defaults are those of Kubernetes 1.37.

    configurable_tolerance: whether the behavior may set a tolerance (feature gate
    HPAConfigurableTolerance). remembers_zero: whether only what the autoscaler scaled to zero
    itself leaves zero again, so that a manual 0 stays (HPAScaleToZero, from 1.36).
    """

    tolerance: Tolerance = field(default_factory=Tolerance)
    downscale_stabilization_us: int = 300 * SECOND_US
    initialization: CpuInitialization = field(default_factory=CpuInitialization)
    configurable_tolerance: bool = True
    remembers_zero: bool = True


@dataclass(frozen=True)
class HpaState:
    """What one decision leaves to the next.

    advice: None before the first decision, which then finds the current replicas advised.
    """

    advice: tuple[Advice, ...] | None = None
    ups: Events = ()
    downs: Events = ()
    scaled_to_zero: bool = False


@dataclass(frozen=True)
class Decision:
    """replicas: what the deployment should have from now on.

    state: for the next decision. proposals: of each metric, None where it failed; empty when they
    were not needed. The reasons are those of the conditions AbleToScale and ScalingLimited; the
    latter is None when nothing was limited because nothing was computed.
    """

    replicas: int
    state: HpaState
    proposals: tuple[Proposal | None, ...]
    able_to_scale_reason: AbleToScaleReason
    scaling_limited_reason: LimitReason | None


def decide(
    spec: HpaSpec,
    settings: HpaSettings,
    state: HpaState,
    target: Target,
    readings: tuple[Reading | None, ...],
) -> Decision:
    """Return the replicas that the deployment should have from `target.now_us` on.

    readings: one for each metric of the spec, None where it could not be read.
    Raises HpaError when there are more or fewer, or a reading does not fit the pods.
    """
    if len(readings) != len(spec.metrics):
        accepted = f"{len(spec.metrics)}, one for each metric"
        raise HpaError("readings", f"{len(readings)} readings", accepted)
    current = target.spec_replicas
    if state.advice is None:
        state = replace(state, advice=(Advice(target.now_us, current),))

    if current == 0 and not _may_leave_zero(spec, settings, state):
        return Decision(0, state, (), "SucceededGetScale", None)
    within_bounds = clamp(current, spec.min_replicas, spec.max_replicas)
    if current not in (0, within_bounds):
        return _rescaled(spec, state, target, within_bounds, (), None)

    proposals = tuple(
        _proposal(spec, settings, target, metric, reading)
        for metric, reading in zip(spec.metrics, readings, strict=True)
    )
    desired = largest_proposal(current, [p.replicas if p else None for p in proposals])
    if desired is None:
        return Decision(current, state, proposals, "SucceededGetScale", None)

    if spec.behavior is None:
        reason, limited, state = _normalized(spec, settings, state, target, desired)
    else:
        reason, limited, state = _normalized_by(
            spec.behavior, spec, settings, state, target, desired
        )
    replicas = limited.replicas
    if current == 0:
        # The policies hold a minimum only on the way down.
        replicas = max(replicas, spec.min_replicas)
    if replicas == current:
        return Decision(current, state, proposals, reason, limited.reason)
    return _rescaled(spec, state, target, replicas, proposals, limited.reason)


def _may_leave_zero(spec: HpaSpec, settings: HpaSettings, state: HpaState) -> bool:
    if not settings.remembers_zero:
        return spec.min_replicas == 0
    return state.scaled_to_zero and (spec.min_replicas > 0 or _sizes_from_zero(spec))


def _sizes_from_zero(spec: HpaSpec) -> bool:
    return any(metric.sizes_from_zero for metric in spec.metrics)


def _proposal(
    spec: HpaSpec, settings: HpaSettings, target: Target, metric: Metric, reading: Reading | None
) -> Proposal | None:
    if reading is None:
        return None
    tolerance = settings.tolerance
    if spec.behavior is not None and settings.configurable_tolerance:
        tolerance = spec.behavior.tolerance(tolerance)
    try:
        return propose(metric, reading, target, tolerance, settings.initialization)
    except MetricUnavailableError:
        return None


def _normalized(
    spec: HpaSpec, settings: HpaSettings, state: HpaState, target: Target, desired: int
) -> tuple[AbleToScaleReason, Limited, HpaState]:
    stabilized = stabilize_down_only(
        state.advice or (), target.now_us, desired, settings.downscale_stabilization_us
    )
    limited = limited_without_behavior(
        target.spec_replicas,
        stabilized.replicas,
        min_replicas=spec.min_replicas,
        max_replicas=spec.max_replicas,
    )
    held = stabilized.replicas != desired
    reason: AbleToScaleReason = "ScaleDownStabilized" if held else "ReadyForNewScale"
    return reason, limited, replace(state, advice=stabilized.log)


def _normalized_by(
    behavior: Behavior,
    spec: HpaSpec,
    settings: HpaSettings,
    state: HpaState,
    target: Target,
    desired: int,
) -> tuple[AbleToScaleReason, Limited, HpaState]:
    current = target.spec_replicas
    down_us = behavior.scale_down.stabilization_window_us
    windows = Windows(
        scale_up_us=behavior.scale_up.stabilization_window_us or 0,
        scale_down_us=settings.downscale_stabilization_us if down_us is None else down_us,
    )
    stabilized = stabilize(state.advice or (), target.now_us, current, desired, windows)
    limited = limited_by_policies(
        current,
        stabilized.replicas,
        min_replicas=spec.min_replicas,
        max_replicas=spec.max_replicas,
        behavior=behavior,
        ups=state.ups,
        downs=state.downs,
        now_us=target.now_us,
    )
    reason: AbleToScaleReason = "ReadyForNewScale"
    if stabilized.replicas != desired:
        reason = "ScaleUpStabilized" if desired >= current else "ScaleDownStabilized"
    return reason, limited, replace(state, advice=stabilized.log)


def _rescaled(
    spec: HpaSpec,
    state: HpaState,
    target: Target,
    replicas: int,
    proposals: tuple[Proposal | None, ...],
    limit: LimitReason | None,
) -> Decision:
    change = replicas - target.spec_replicas
    if spec.behavior is not None and change > 0:
        ups = recorded(state.ups, target.now_us, change, spec.behavior.scale_up)
        state = replace(state, ups=ups)
    elif spec.behavior is not None:
        downs = recorded(state.downs, target.now_us, -change, spec.behavior.scale_down)
        state = replace(state, downs=downs)
    to_zero = replicas == 0 and spec.min_replicas == 0 and _sizes_from_zero(spec)
    state = replace(state, scaled_to_zero=to_zero)
    return Decision(replicas, state, proposals, "SucceededRescale", limit)
