import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hpa.controller import (
    Decision,
    HpaSettings,
    HpaSpec,
    HpaState,
    decide,
)
from simulator.hpa.errors import HpaError
from simulator.hpa.metric import Metric, Reading, Target
from simulator.hpa.pods import Pod, Readiness
from simulator.hpa.rate_limit import (
    ScaleEvent,
    change_since,
    down_limit,
    limited_without_behavior,
    recorded,
    up_limit,
)
from simulator.hpa.rules import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    Behavior,
    ScalingPolicy,
    ScalingRules,
)
from simulator.hpa.stabilization import SECOND_US

SYNC_US = 15 * SECOND_US
READY = Pod(started_at_us=0, readiness=Readiness(True, since_us=0))
LOADS = st.lists(st.integers(0, 40_000), min_size=1, max_size=40)
BOUNDS = st.tuples(st.integers(0, 30), st.integers(1, 30)).map(
    lambda pair: (min(pair), max(max(pair), 1))
)
POLICIES = st.builds(
    ScalingPolicy,
    st.sampled_from(["Pods", "Percent"]),
    st.integers(0, 300),
    st.integers(1, 240).map(lambda s: s * SECOND_US),
)
RULES = st.builds(
    ScalingRules,
    st.lists(POLICIES, max_size=3).map(tuple),
    st.sampled_from(["Max", "Min", "Disabled"]),
    st.none() | st.integers(0, 600).map(lambda s: s * SECOND_US),
    st.none() | st.floats(0, 1),
)
BEHAVIORS = st.none() | st.builds(Behavior, RULES, RULES)
QUEUE = Metric("external_average", 1000)


def spec(low: int, high: int, behavior: Behavior | None = None, *metrics: Metric) -> HpaSpec:
    return HpaSpec(metrics or (QUEUE,), high, low, behavior)


def at(
    replicas: int,
    load_m: int | None,
    now_us: int = 0,
    *,
    told: HpaSpec,
    state: HpaState | None = None,
    settings: HpaSettings | None = None,
) -> Decision:
    target = Target(replicas, replicas, (READY,) * replicas, now_us)
    reading = None if load_m is None else Reading(values_m=(load_m,))
    return decide(told, settings or HpaSettings(), state or HpaState(), target, (reading,))


def sizes(told: HpaSpec, start: int, loads_m: list[int], settings: HpaSettings) -> list[int]:
    """Return the replicas after each sync, the deployment following at once."""
    replicas, state, seen = start, HpaState(), []
    for tick, load_m in enumerate(loads_m):
        decision = at(replicas, load_m, tick * SYNC_US, told=told, state=state, settings=settings)
        replicas, state = decision.replicas, decision.state
        seen.append(replicas)
    return seen


@settings(deadline=None)
@given(BOUNDS, BEHAVIORS, st.integers(1, 60), LOADS)
def test_what_is_decided_lies_within_the_bounds(
    bounds: tuple[int, int], behavior: Behavior | None, start: int, loads_m: list[int]
) -> None:
    low, high = bounds
    for replicas in sizes(spec(low, high, behavior), start, loads_m, HpaSettings()):
        assert low <= replicas <= high


@settings(deadline=None)
@given(BOUNDS, BEHAVIORS, st.integers(1, 60), LOADS)
def test_the_same_history_leads_to_the_same_decisions(
    bounds: tuple[int, int], behavior: Behavior | None, start: int, loads_m: list[int]
) -> None:
    told = spec(*bounds, behavior)
    first, again = (sizes(told, start, loads_m, HpaSettings()) for _ in range(2))
    assert first == again


@settings(deadline=None)
@given(LOADS, st.integers(1, 5), st.integers(1, 8))
def test_no_period_adds_more_than_its_policy_allows(
    loads_m: list[int], value: int, syncs: int
) -> None:
    up = ScalingRules((ScalingPolicy("Pods", value, syncs * SYNC_US),))
    down = replace(DEFAULT_SCALE_DOWN, stabilization_window_us=0)
    seen = [1, *sizes(spec(1, 100, Behavior(up, down)), 1, loads_m, HpaSettings())]
    for tick in range(1, len(seen)):
        start = seen[max(tick - syncs, 0)]
        assert seen[tick] <= max(start + value, seen[tick - 1])


@settings(deadline=None)
@given(LOADS, st.integers(1, 5), st.integers(1, 8))
def test_no_period_removes_more_than_its_policy_allows(
    loads_m: list[int], value: int, syncs: int
) -> None:
    down = ScalingRules((ScalingPolicy("Pods", value, syncs * SYNC_US),), "Max", 0)
    up = ScalingRules((ScalingPolicy("Pods", 1000, SYNC_US),))
    seen = [40, *sizes(spec(1, 100, Behavior(up, down)), 40, loads_m, HpaSettings())]
    for tick in range(1, len(seen)):
        start = seen[max(tick - syncs, 0)]
        assert seen[tick] >= min(start - value, seen[tick - 1])


@settings(deadline=None)
@given(LOADS)
def test_without_behavior_no_sync_more_than_doubles_beyond_four(loads_m: list[int]) -> None:
    seen = [1, *sizes(spec(1, 1000), 1, loads_m, HpaSettings())]
    for before, after in pairwise(seen):
        assert after <= max(2 * before, 4)


@settings(deadline=None)
@given(LOADS, BEHAVIORS)
def test_the_logs_do_not_grow_beyond_their_windows(
    loads_m: list[int], behavior: Behavior | None
) -> None:
    told, replicas, state = spec(1, 100, behavior), 5, HpaState()
    for tick, load_m in enumerate(loads_m * 6):
        decision = at(replicas, load_m, tick * SYNC_US, told=told, state=state)
        replicas, state = decision.replicas, decision.state
    # 600 s of windows and 240 s of periods hold 41 and 17 syncs, and one slot is written into.
    assert len(state.advice or ()) <= 43
    assert len(state.ups) <= 18
    assert len(state.downs) <= 18


def test_a_disabled_direction_is_never_taken() -> None:
    disabled = ScalingRules((), "Disabled", 0)
    up_only = Behavior(scale_down=disabled)
    down_only = Behavior(disabled, replace(DEFAULT_SCALE_DOWN, stabilization_window_us=0))
    assert sizes(spec(1, 50, up_only), 5, [7000, 0, 0], HpaSettings()) == [7, 7, 7]
    assert sizes(spec(1, 50, down_only), 5, [7000, 3000, 9000], HpaSettings()) == [5, 3, 3]


@pytest.mark.parametrize(
    ("select", "most", "fewest"), [("Max", 20, 5), ("Min", 13, 7), ("Disabled", 10, 10)]
)
def test_one_of_several_policies_is_selected_by_the_change_it_allows(
    select: Any, most: int, fewest: int
) -> None:
    up = (ScalingPolicy("Pods", 3, SYNC_US), ScalingPolicy("Percent", 100, SYNC_US))
    down = (ScalingPolicy("Pods", 3, SYNC_US), ScalingPolicy("Percent", 50, SYNC_US))
    assert up_limit(10, (), (), ScalingRules(up, select), 0) == most
    assert down_limit(10, (), (), ScalingRules(down, select), 0) == fewest


def test_a_wish_that_just_meets_a_limit_is_within_range() -> None:
    for desired, reason in ((1, "TooFewReplicas"), (2, None), (6, None), (7, "ScaleUpLimit")):
        limited = limited_without_behavior(3, desired, min_replicas=2, max_replicas=9)
        assert limited.reason == (reason or "DesiredWithinRange")
    for desired, reason in ((6, None), (7, "TooManyReplicas")):
        limited = limited_without_behavior(3, desired, min_replicas=2, max_replicas=6)
        assert limited.reason == (reason or "DesiredWithinRange")


def test_a_policy_of_nothing_allows_nothing() -> None:
    nothing = ScalingRules((ScalingPolicy("Pods", 0, 1), ScalingPolicy("Percent", 0, 1)), "Max", 0)
    assert sizes(spec(1, 50, Behavior(nothing, nothing)), 5, [9000, 0], HpaSettings()) == [5, 5]


def test_the_first_decision_finds_the_current_replicas_advised() -> None:
    told = spec(1, 10)
    first = at(5, 1000, told=told)
    assert (first.replicas, first.able_to_scale_reason) == (5, "ScaleDownStabilized")
    assert at(5, 1000, told=told, state=HpaState(advice=())).replicas == 1


def test_the_window_of_scaling_down_is_the_clusters_where_the_behavior_names_none() -> None:
    settings = HpaSettings(downscale_stabilization_us=30 * SECOND_US)
    named = Behavior(scale_down=replace(DEFAULT_SCALE_DOWN, stabilization_window_us=15 * SECOND_US))
    for behavior, expected in (
        (None, [5, 5, 5, 1]),
        (Behavior(), [5, 5, 1, 1]),
        (named, [5, 1, 1, 1]),
    ):
        assert sizes(spec(1, 9, behavior), 5, [1000] * 4, settings) == expected


def test_a_tolerance_of_the_behavior_counts_where_the_cluster_allows_it() -> None:
    wide = Behavior(replace(DEFAULT_SCALE_UP, tolerance=1.0), DEFAULT_SCALE_DOWN)
    for allowed, expected in ((True, 5), (False, 8)):
        settings = HpaSettings(configurable_tolerance=allowed)
        assert at(5, 8000, told=spec(1, 9, wide), settings=settings).replicas == expected


def test_replicas_outside_the_bounds_are_corrected_without_metrics() -> None:
    for start, expected in ((1, 2), (9, 6)):
        decision = at(start, None, told=spec(2, 6, Behavior()))
        assert decision.replicas == expected
        assert decision.proposals == ()
        assert decision.scaling_limited_reason is None
        change = abs(expected - start)
        events = decision.state.ups if start < expected else decision.state.downs
        assert [event.change for event in events] == [change]


def test_events_are_only_kept_where_there_is_a_behavior() -> None:
    assert at(2, 9000, told=spec(1, 9)).state.ups == ()
    assert at(2, 9000, told=spec(1, 9, Behavior())).state.ups == (ScaleEvent(0, 4),)


def test_a_failed_metric_forbids_to_scale_down_and_leaves_no_advice() -> None:
    told = spec(1, 20, None, QUEUE, QUEUE)
    state = HpaState(advice=())
    for readable_m, expected in ((1000, 5), (8000, 8)):
        target = Target(5, 5, (READY,) * 5, 0)
        readings = (Reading(values_m=(readable_m,)), None)
        decision = decide(told, HpaSettings(), state, target, readings)
        assert decision.replicas == expected
        assert len(decision.state.advice or ()) == (1 if expected == 8 else 0)
        assert [proposal is None for proposal in decision.proposals] == [False, True]


def test_a_metric_without_samples_counts_as_failed() -> None:
    told = spec(1, 20, None, Metric("pods_average", 10))
    target = Target(5, 5, (READY,) * 5, 0)
    decision = decide(told, HpaSettings(), HpaState(), target, (Reading(samples=(None,) * 5),))
    assert (decision.replicas, decision.proposals) == (5, (None,))


def test_what_the_autoscaler_brought_to_zero_it_brings_back() -> None:
    settings = HpaSettings(downscale_stabilization_us=0)
    seen = sizes(spec(0, 9), 3, [3000, 0, 0, 1, 7000], settings)
    assert seen == [3, 0, 0, 1, 4]


def test_a_manual_zero_stays() -> None:
    told = spec(0, 9)
    decision = at(0, 5000, told=told)
    assert (decision.replicas, decision.proposals) == (0, ())
    remembered = at(0, 5000, told=told, state=HpaState(scaled_to_zero=True))
    assert (remembered.replicas, remembered.state.scaled_to_zero) == (4, False)


def test_before_1_36_a_minimum_of_zero_always_led_back_and_any_other_never() -> None:
    older = HpaSettings(remembers_zero=False)
    assert at(0, 5000, told=spec(0, 9), settings=older).replicas == 4
    assert at(0, 5000, told=spec(1, 9), settings=older).replicas == 0


def test_zero_from_pods_alone_is_not_remembered() -> None:
    told = spec(0, 9, None, Metric("pods_average", 1000))
    settings = HpaSettings(downscale_stabilization_us=0)
    reading = Reading(samples=())
    idle = decide(told, settings, HpaState(scaled_to_zero=True), Target(0, 0, (), 0), (reading,))
    assert (idle.replicas, idle.proposals) == (0, ())


def test_a_minimum_raised_while_at_zero_is_reached_at_once() -> None:
    asleep = HpaState(scaled_to_zero=True)
    assert at(0, 1, told=spec(3, 9, Behavior()), state=asleep).replicas == 3
    assert at(0, None, told=spec(3, 9), state=asleep).replicas == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 9)), max_size=9), RULES)
def test_recording_keeps_every_event_that_a_policy_reaches(
    given_events: list[tuple[int, int]], rules: ScalingRules
) -> None:
    now_us = 1000 * SECOND_US
    events = tuple(ScaleEvent(now_us - age * SECOND_US, change) for age, change in given_events)
    kept = recorded(events, now_us, 5, rules)
    for policy in rules.policies:
        before = change_since(events, now_us, policy.period_us)
        assert change_since(kept, now_us, policy.period_us) == before + 5


def test_the_narrowest_bounds_are_accepted() -> None:
    assert sizes(spec(1, 1), 1, [9000, 0], HpaSettings()) == [1, 1]
    assert sizes(spec(0, 1), 1, [9000, 0], HpaSettings()) == [1, 1]


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: HpaSpec((), 0), "max_replicas"),
        (lambda: HpaSpec((), 2**31), "max_replicas"),
        (lambda: HpaSpec((), 3, -1), "min_replicas"),
        (lambda: HpaSpec((), 3, 4), "min_replicas"),
        (lambda: ScalingPolicy("Pods", -1, 1), "policy.value"),
        (lambda: ScalingPolicy("Pods", 1, 0), "policy.period_us"),
        (lambda: ScalingRules((), "Max", -1), "stabilization_window_us"),
        (lambda: ScalingRules((), tolerance=-0.1), "tolerance"),
        (lambda: ScalingRules((), tolerance=math.inf), "tolerance"),
        (lambda: ScalingRules((), tolerance=math.nan), "tolerance"),
        (
            lambda: decide(spec(1, 2), HpaSettings(), HpaState(), Target(1, 1, (), 0), ()),
            "readings",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(build: Any, field: str) -> None:
    with pytest.raises(HpaError) as raised:
        build()
    assert raised.value.field == field
