"""Runs cases of ../shared/hpa/vectors.json, or of any file in that schema, through simulator.hpa.

The facts are re-keyed from the unit tests of the Kubernetes HPA controller (Apache-2.0); each case
names its source.
"""

from collections.abc import Callable
from typing import Any

from simulator.hpa.controller import HpaSettings, HpaSpec, HpaState, decide
from simulator.hpa.metric import Metric, Reading, Target, propose
from simulator.hpa.pods import CpuInitialization, Group, Pod, Readiness, Sample, group_pods
from simulator.hpa.rate_limit import (
    Events,
    ScaleEvent,
    change_since,
    down_limit,
    limited_by_policies,
    limited_without_behavior,
    recorded,
    up_limit,
)
from simulator.hpa.ratio import Tolerance, replicas_for_ratio
from simulator.hpa.rules import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    Behavior,
    ScalingPolicy,
    ScalingRules,
)
from simulator.hpa.stabilization import (
    SECOND_US,
    Advice,
    Windows,
    stabilize,
    stabilize_down_only,
)
from simulator.hpa.usage import MetricUnavailableError, average, utilization

Case = dict[str, Any]

# The controller's own time stands still in a case; ages count back from here.
NOW_US = 2_000_000_000 * SECOND_US
# Go's zero time, which upstream's tests leave where they set none.
LONG_AGO_S = 10**9
# Of upstream's tests, not of production: the file's `test_constants`.
SETTINGS = HpaSettings(
    initialization=CpuInitialization(
        period_us=120 * SECOND_US, initial_readiness_delay_us=10 * SECOND_US
    ),
    remembers_zero=False,
)
METRIC_WINDOW_US = 60 * SECOND_US


def evaluate(section: str, case: Case) -> Case:
    """Return what the case's `expected` should say, every key of its section included."""
    return SECTIONS[section](case)


def differences(section: str, case: Case) -> Case:
    """Return {key: (expected, found)} for every asserted key of the case that is not met."""
    found = evaluate(section, case)
    return {
        key: (expected, found.get(key))
        for key, expected in case["expected"].items()
        if found.get(key) != expected and not (key == "log" and expected is None)
    }


def pod_groups(case: Case, kind: str) -> list[Group]:
    """Return the groups of the pods of a replica_calc or controller_step case."""
    initialization = SETTINGS.initialization if kind == "resource_utilization" else None
    return group_pods(_pods(case), _samples(case), NOW_US, initialization)


def _utilization(case: Case) -> Case:
    try:
        if case["kind"] == "resource_utilization":
            pairs = zip(case["usage_m"], case["request_m"], strict=True)
            usage = utilization([(u, r) for u, r in pairs if u is not None], case["target"])
        else:
            values = [value for value in case["usage_m"] if value is not None]
            usage = average(values, case["target"])
    except MetricUnavailableError as error:
        return {"ratio": None, "current": None, "raw_average_m": None, "error": error.reason}
    return {
        "ratio": usage.ratio,
        "current": usage.current,
        "raw_average_m": usage.raw_average_m,
        "error": None,
    }


def _group_pods(case: Case) -> Case:
    pods, samples = [], []
    for pod in case["pods"]:
        readiness = None
        if pod["ready_condition"] is not None:
            since_s = pod["ready_transition_age_s"]
            readiness = Readiness(pod["ready_condition"], _at(since_s or 0))
        started = pod["start_age_s"]
        pods.append(
            Pod(
                phase=pod["phase"],
                deleting=pod["deleting"],
                started_at_us=None if started is None else _at(started),
                readiness=readiness,
            )
        )
        sample = None
        if pod["has_metric"]:
            window_us = (pod["metric_window_s"] or 0) * SECOND_US
            sample = Sample(1, _at(pod["metric_age_s"] or 0), window_us)
        samples.append(sample)
    initialization = CpuInitialization(
        period_us=case["cpu_initialization_period_s"] * SECOND_US,
        initial_readiness_delay_us=case["initial_readiness_delay_s"] * SECOND_US,
    )
    groups = group_pods(
        pods, samples, NOW_US, initialization if case["resource"] == "cpu" else None
    )
    return {"ready_count": groups.count("ready"), "groups": groups}


def _replica_calc(case: Case) -> Case:
    metric = Metric(case["kind"], case["target"], cpu=case["kind"] == "resource_utilization")
    target = Target(case["current_replicas"], case["current_replicas"], _pods(case), NOW_US)
    tolerance = Tolerance(**case["tolerance"])
    proposal, error = None, None
    try:
        reading = _reading(metric, case, case)
        proposal = propose(metric, reading, target, tolerance, SETTINGS.initialization)
    except MetricUnavailableError as unavailable:
        error = unavailable.reason
    keys = ["replicas", "usage_m"]
    if metric.kind == "resource_utilization":
        keys = ["replicas", "utilization_pct", "raw_average_m"]
    return {**{key: getattr(proposal, key, None) for key in keys}, "error": error}


def _legacy_stabilization(case: Case) -> Case:
    stabilized = stabilize_down_only(
        _advice(case["recommendations"]), NOW_US, case["desired"], case["window_s"] * SECOND_US
    )
    return {"stabilized": stabilized.replicas, "log_length": len(stabilized.log)}


def _behavior_stabilization(case: Case) -> Case:
    windows = Windows(
        scale_up_us=case["scale_up_window_s"] * SECOND_US,
        scale_down_us=case["scale_down_window_s"] * SECOND_US,
    )
    stabilized = stabilize(
        _advice(case["recommendations"]),
        NOW_US,
        case["current_replicas"],
        case["desired"],
        windows,
    )
    log = [advice.replicas for advice in stabilized.log]
    return {"stabilized": stabilized.replicas, "log": log}


def _rate_limit(case: Case) -> Case:
    limited = limited_by_policies(
        case["current_replicas"],
        case["desired"],
        min_replicas=case["min_replicas"],
        max_replicas=case["max_replicas"],
        behavior=_behavior(case),
        ups=_events(case.get("scale_up_events")),
        downs=_events(case.get("scale_down_events")),
        now_us=NOW_US,
    )
    return {"replicas": limited.replicas, "reason": limited.reason}


def _limit_functions(case: Case) -> Case:
    up = case["direction"] == "up"
    rules = _rules(case["rules"], DEFAULT_SCALE_UP if up else DEFAULT_SCALE_DOWN)
    limit = up_limit if up else down_limit
    ups, downs = _events(case.get("scale_up_events")), _events(case.get("scale_down_events"))
    return {"limit": limit(case["current_replicas"], ups, downs, rules, NOW_US)}


def _scale_events(case: Case) -> Case:
    events = _events(case["previous_events"])
    before = change_since(events, NOW_US, case["query_period_s"] * SECOND_US)
    if case["rules"] is not None:
        rules = _rules(case["rules"], DEFAULT_SCALE_UP)
        events = recorded(events, NOW_US, case["new_change"], rules)
    after = [{"change": event.change, "outdated": event.outdated} for event in events]
    return {"change_in_period_before": before, "events_after": after}


def _legacy_limit(case: Case) -> Case:
    limited = limited_without_behavior(
        case["current_replicas"],
        case["desired"],
        min_replicas=case["min_replicas"],
        max_replicas=case["max_replicas"],
    )
    return {"replicas": limited.replicas, "reason": limited.reason}


def _controller_step(case: Case) -> Case:
    metrics: list[Metric] = []
    readings: list[Reading | None] = []
    for given in case["metrics"]:
        # What makes a metric invalid never reaches the rule: it is one that cannot be read.
        if given["kind"] == "invalid":
            metrics.append(Metric("external_value", 1))
            readings.append(None)
            continue
        cpu = given["kind"] == "resource_utilization"
        metrics.append(Metric(given["kind"], given["target"], cpu=cpu))
        readings.append(_reading(metrics[-1], case, given))
    given_behavior = case.get("behavior")
    spec = HpaSpec(
        metrics=tuple(metrics),
        min_replicas=case["min_replicas"],
        max_replicas=case["max_replicas"],
        behavior=None if given_behavior is None else _behavior(given_behavior),
    )
    history = case.get("history", "seed")
    state = HpaState(
        advice=None if history == "seed" else _advice(history),
        ups=_events(case.get("scale_up_events")),
        downs=_events(case.get("scale_down_events")),
    )
    settings = HpaSettings(
        initialization=SETTINGS.initialization,
        configurable_tolerance=case.get("configurable_tolerance_gate", True),
        remembers_zero=SETTINGS.remembers_zero,
    )
    target = Target(case["spec_replicas"], case["status_replicas"], _pods(case), NOW_US)
    decision = decide(spec, settings, state, target, tuple(readings))
    shown = [p.utilization_pct for p in decision.proposals if p and p.utilization_pct is not None]
    return {
        "replicas": decision.replicas,
        "utilization_pct": shown[0] if shown else None,
        "able_to_scale_reason": decision.able_to_scale_reason,
        "scaling_limited_reason": decision.scaling_limited_reason,
    }


def _derived(case: Case) -> Case:
    if case["section"] == "replica_calc" and "utilization_pct" in case:
        ratio = case["utilization_pct"] / case["target"]
        current = case["current_replicas"]
        given = case.get("tolerance", {})
        now, before = (Tolerance(**given, before_v1_33=older) for older in (False, True))
        return {
            "replicas": replicas_for_ratio(current, ratio, now),
            "replicas_v1_33_and_later": replicas_for_ratio(current, ratio, now),
            "replicas_v1_32_and_earlier": replicas_for_ratio(current, ratio, before),
        }
    return evaluate(case["section"], case)


SECTIONS: dict[str, Callable[[Case], Case]] = {
    "utilization": _utilization,
    "group_pods": _group_pods,
    "replica_calc": _replica_calc,
    "legacy_stabilization": _legacy_stabilization,
    "behavior_stabilization": _behavior_stabilization,
    "rate_limit": _rate_limit,
    "limit_functions": _limit_functions,
    "scale_events": _scale_events,
    "legacy_limit": _legacy_limit,
    "controller_step": _controller_step,
    "derived": _derived,
}


def _at(age_s: float) -> int:
    return NOW_US - round(age_s * SECOND_US)


def _advice(given: list[Case]) -> tuple[Advice, ...]:
    return tuple(Advice(_at(entry["age_s"]), entry["replicas"]) for entry in given)


def _events(given: list[Case] | None) -> Events:
    return tuple(
        ScaleEvent(_at(event["age_s"]), event["change"], event.get("outdated", False))
        for event in given or []
    )


def _rules(given: Case | None, default: ScalingRules) -> ScalingRules:
    given = given or {}
    policies = default.policies
    if given.get("policies") is not None:
        policies = tuple(
            ScalingPolicy(policy["type"], policy["value"], policy["period_s"] * SECOND_US)
            for policy in given["policies"]
        )
    window_us = default.stabilization_window_us
    if given.get("stabilization_window_s") is not None:
        window_us = given["stabilization_window_s"] * SECOND_US
    return ScalingRules(
        policies,
        given.get("select_policy") or default.select_policy,
        window_us,
        given.get("tolerance"),
    )


def _behavior(given: Case) -> Behavior:
    return Behavior(
        _rules(given.get("scale_up"), DEFAULT_SCALE_UP),
        _rules(given.get("scale_down"), DEFAULT_SCALE_DOWN),
    )


def _pods(case: Case) -> tuple[Pod, ...]:
    """Return pods as upstream's fixtures set them: ready, or not, since their start."""
    pods = []
    for given in case.get("pods", []):
        age_s = given["start_age_s"]
        started_at_us = _at(LONG_AGO_S if age_s is None else age_s)
        readiness = Readiness(given["ready"], started_at_us)
        pods.append(Pod(given["phase"], given["deleting"], started_at_us, readiness))
    return tuple(pods)


def _samples(case: Case) -> tuple[Sample | None, ...]:
    """Return each pod's sample, taken now over a window that a pod started now does not fill."""
    return tuple(
        None if pod["usage_m"] is None else Sample(pod["usage_m"], NOW_US, METRIC_WINDOW_US)
        for pod in case.get("pods", [])
    )


def _reading(metric: Metric, case: Case, given: Case) -> Reading:
    """Return what the case lets one metric see; `given` holds what is not a pod's."""
    if metric.sizes_from_zero:
        return Reading(values_m=tuple(given.get("metric_values_m") or ()))
    return Reading(
        samples=_samples(case),
        requests_m=tuple(pod["request_m"] for pod in case.get("pods", [])),
        unmatched_m=tuple(case.get("unmatched_metric_values_m") or ()),
    )
