from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hpa.errors import HpaError
from simulator.hpa.metric import Metric, MetricKind, Proposal, Reading, Target, propose
from simulator.hpa.pods import (
    LARGEST_MILLI,
    CpuInitialization,
    Pod,
    Readiness,
    Sample,
    group_pods,
)
from simulator.hpa.ratio import MOST_REPLICAS, Tolerance
from simulator.hpa.stabilization import SECOND_US
from simulator.hpa.usage import MetricUnavailableError, utilization

NOW_US = 10_000 * SECOND_US
EXACT = Tolerance(0, 0)
DEFAULT = Tolerance()
SETTLED = Pod(started_at_us=0, readiness=Readiness(True, since_us=0))
NEVER_READY = Pod(started_at_us=0, readiness=Readiness(False, since_us=0))
PENDING = Pod("Pending")
FAILED = Pod("Failed", started_at_us=0, readiness=Readiness(False, since_us=0))
VALUES = st.integers(0, 10**6)
TARGETS = st.integers(1, 10**5)
TOTALS: tuple[MetricKind, ...] = ("object_value", "external_value")
SHARES: tuple[MetricKind, ...] = ("object_average", "external_average")


def sampled(*values_m: int | None) -> tuple[Sample | None, ...]:
    return tuple(None if v is None else Sample(v, NOW_US) for v in values_m)


def proposal(
    metric: Metric, reading: Reading, replicas: int, *pods: Pod, tolerance: Tolerance = EXACT
) -> Proposal:
    target = Target(replicas, replicas, pods, NOW_US)
    return propose(metric, reading, target, tolerance, CpuInitialization())


def cpu(
    target_pct: int,
    pods: list[Pod],
    values_m: list[int | None],
    request_m: int = 1000,
    replicas: int | None = None,
    tolerance: Tolerance = DEFAULT,
) -> Proposal:
    metric = Metric("resource_utilization", target_pct, cpu=True)
    reading = Reading(samples=sampled(*values_m), requests_m=(request_m,) * len(pods))
    count = len(pods) if replicas is None else replicas
    return proposal(metric, reading, count, *pods, tolerance=tolerance)


def pods_average(target_m: int, values_m: list[int], tolerance: Tolerance = EXACT) -> int:
    reading = Reading(samples=sampled(*values_m))
    pods = [SETTLED] * len(values_m)
    metric = Metric("pods_average", target_m)
    return proposal(metric, reading, len(pods), *pods, tolerance=tolerance).replicas


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=9), TARGETS, st.integers(0, 8), VALUES)
def test_more_use_of_a_pod_never_asks_for_fewer_replicas(
    values_m: list[int], target_m: int, which: int, more_m: int
) -> None:
    busier = list(values_m)
    busier[which % len(values_m)] += more_m
    for tolerance in (EXACT, DEFAULT):
        calm, busy = (pods_average(target_m, v, tolerance) for v in (values_m, busier))
        assert calm <= busy


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=9), st.integers(1, 300), st.integers(0, 8), VALUES)
def test_more_cpu_of_a_pod_never_asks_for_fewer_replicas(
    values_m: list[int], target_pct: int, which: int, more_m: int
) -> None:
    busier = list(values_m)
    busier[which % len(values_m)] += more_m
    calm, busy = (cpu(target_pct, [SETTLED] * len(v), [*v]).replicas for v in (values_m, busier))
    assert calm <= busy


@settings(deadline=None)
@given(st.integers(0, 50), VALUES, VALUES, TARGETS)
def test_more_of_a_total_never_asks_for_fewer_replicas(
    replicas: int, value_m: int, more_m: int, target_m: int
) -> None:
    pods = (SETTLED,) * replicas
    for kind in (*TOTALS, *SHARES):
        metric = Metric(kind, target_m)
        calm, busy = (
            proposal(metric, Reading(values_m=(v,)), replicas, *pods, tolerance=DEFAULT)
            for v in (value_m, value_m + more_m)
        )
        assert calm.replicas <= busy.replicas


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([SETTLED, NEVER_READY, PENDING, FAILED]), VALUES | st.none())
    ),
    st.integers(1, 300),
    st.integers(1, 20),
)
def test_guesses_about_pods_never_turn_the_direction_that_samples_point_to(
    seen: list[tuple[Pod, int | None]], target_pct: int, replicas: int
) -> None:
    pods, values_m = [pod for pod, _ in seen], [value for _, value in seen]
    try:
        found = cpu(target_pct, pods, values_m, replicas=replicas)
    except MetricUnavailableError as error:
        assert error.reason == "no_metrics"
        return
    groups = group_pods(pods, sampled(*values_m), NOW_US, CpuInitialization())
    assert found.utilization_pct is not None
    if "missing" in groups and found.utilization_pct < target_pct:
        assert found.replicas <= replicas
    if {"missing", "unready"} & set(groups) and found.utilization_pct > target_pct:
        assert found.replicas >= replicas


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=5), VALUES, TARGETS)
def test_values_of_an_external_metric_are_summed(
    values_m: list[int], more_m: int, target_m: int
) -> None:
    for kind in (*TOTALS, *SHARES):
        metric = Metric(kind, target_m)
        apart = proposal(metric, Reading(values_m=(*values_m, more_m)), 3, *[SETTLED] * 3)
        summed = proposal(metric, Reading(values_m=(sum(values_m) + more_m,)), 3, *[SETTLED] * 3)
        assert apart == summed


def test_a_pod_that_failed_or_goes_away_counts_for_nothing() -> None:
    going = Pod(deleting=True, started_at_us=0, readiness=Readiness(True, 0))
    assert cpu(50, [SETTLED, going, FAILED], [1000, 1000, 1000], replicas=1).replicas == 2


def test_a_missing_pod_is_taken_to_use_all_it_requested_before_scaling_down() -> None:
    assert cpu(100, [SETTLED] * 2, [100, 100]).replicas == 1
    assert cpu(100, [SETTLED] * 4, [100, 100, None, None]).replicas == 3
    assert cpu(100, [SETTLED] * 4, [100, 100, 100, None]).replicas == 2
    assert cpu(100, [SETTLED] * 3 + [PENDING], [100, 100, None, None]).replicas == 2


def test_a_missing_pod_is_taken_to_use_the_target_where_that_is_more_than_its_request() -> None:
    # Presumed at 200 %, they bring the mean to 125 % of the target's 200 %; at 100 %, to 75 %.
    found = cpu(200, [SETTLED] * 4, [500, 500, None, None])
    assert found.replicas == 3
    assert found.utilization_pct == 50


def test_a_missing_pod_is_taken_to_use_exactly_its_request() -> None:
    pods = [SETTLED] * 2
    assert cpu(100, pods, [990, None], replicas=5, tolerance=EXACT).replicas == 2
    assert cpu(99, pods, [980, None], replicas=5, tolerance=EXACT).replicas == 5


def test_exactly_on_target_nothing_is_presumed_of_other_pods() -> None:
    for other in (SETTLED, PENDING):
        assert cpu(50, [SETTLED, other], [500, None], tolerance=EXACT).replicas == 2
        assert cpu(50, [SETTLED, other], [500, None], replicas=5, tolerance=EXACT).replicas == 5


def test_missing_and_unready_pods_are_taken_to_idle_before_scaling_up() -> None:
    assert cpu(50, [SETTLED] * 2, [1000, 1000]).replicas == 4
    assert cpu(50, [SETTLED] * 2 + [PENDING], [1000, 1000, None]).replicas == 4
    assert cpu(50, [SETTLED] * 2 + [SETTLED], [1000, 1000, None]).replicas == 4
    assert cpu(50, [SETTLED, PENDING], [1000, None]).replicas == 2
    assert cpu(50, [SETTLED] + [PENDING] * 2, [1000, None, None]).replicas == 3


def test_only_cpu_looks_at_readiness() -> None:
    kinds: tuple[tuple[MetricKind, int], ...] = (
        ("resource_utilization", 50),
        ("pods_average", 500),
    )
    for kind, target in kinds:
        reading = Reading(samples=sampled(1000, 1000), requests_m=(1000, 1000))
        found = [
            proposal(Metric(kind, target, cpu), reading, 2, SETTLED, NEVER_READY).replicas
            for cpu in (False, True)
        ]
        assert found == [4, 2]


def test_a_pod_settles_until_its_sample_lies_wholly_after_it_became_ready() -> None:
    ready_at_us = NOW_US - 40 * SECOND_US
    fresh = Pod(started_at_us=NOW_US - 60 * SECOND_US, readiness=Readiness(True, ready_at_us))
    for window_s, group in ((30, "ready"), (40, "ready"), (41, "unready")):
        sample = Sample(1, NOW_US, window_s * SECOND_US)
        assert group_pods([fresh], [sample], NOW_US, CpuInitialization()) == [group]


@pytest.mark.parametrize(
    ("ready_until_s", "group"), [(29, "unready"), (30, "ready"), (9, "unready")]
)
def test_an_old_pod_counts_though_not_ready_if_it_once_was(ready_until_s: int, group: str) -> None:
    started_us = NOW_US - 300 * SECOND_US
    since_us = started_us + ready_until_s * SECOND_US
    pod = Pod(started_at_us=started_us, readiness=Readiness(False, since_us))
    assert group_pods([pod], sampled(1), NOW_US, CpuInitialization()) == [group]


def test_from_zero_a_total_ignores_the_tolerance_and_needs_no_pods() -> None:
    for kind in TOTALS:
        for value_m, replicas in ((0, 0), (1, 1), (1000, 1), (1001, 2)):
            found = proposal(
                Metric(kind, 1000), Reading(values_m=(value_m,)), 0, tolerance=Tolerance(1, 100)
            )
            assert found == Proposal(replicas, usage_m=value_m)


def test_from_zero_a_share_needs_no_pods_and_has_no_average() -> None:
    for kind in SHARES:
        for value_m, replicas in ((0, 0), (1, 1), (1001, 2)):
            found = proposal(Metric(kind, 1000), Reading(values_m=(value_m,)), 0)
            assert found == Proposal(replicas)


def test_a_total_is_shared_by_the_pods_that_serve() -> None:
    metric, reading = Metric("object_value", 1000), Reading(values_m=(2000,))
    assert proposal(metric, reading, 4, SETTLED, SETTLED, NEVER_READY, PENDING).replicas == 4
    assert proposal(metric, reading, 4, SETTLED, NEVER_READY).replicas == 2


@pytest.mark.parametrize("kind", [*TOTALS, *SHARES])
def test_totals_saturate_instead_of_wrapping_around(kind: MetricKind) -> None:
    reading = Reading(values_m=(LARGEST_MILLI, LARGEST_MILLI))
    found = proposal(Metric(kind, 1), reading, 2, SETTLED, SETTLED)
    assert found.replicas == MOST_REPLICAS
    assert found.usage_m is not None
    assert 0 < found.usage_m <= LARGEST_MILLI


def test_only_an_external_total_that_may_have_overflowed_is_shown_undivided() -> None:
    most = Reading(values_m=(LARGEST_MILLI,))
    for kind, usage_m in (("object_average", 2**62), ("external_average", LARGEST_MILLI)):
        metric = Metric(kind, LARGEST_MILLI)  # type: ignore[arg-type]
        assert proposal(metric, most, 2) == Proposal(1, usage_m=usage_m)
    lower = Reading(values_m=(2**62,))
    metric = Metric("external_average", 2**62)
    assert proposal(metric, lower, 2) == Proposal(1, usage_m=2**61)


def test_averages_are_cut_to_whole_units_before_they_are_compared() -> None:
    usage = utilization([(333, 500), (334, 500), (334, 500)], 10)
    assert (usage.current, usage.raw_average_m, usage.ratio) == (66, 333, 6.6)
    assert isinstance(usage.raw_average_m, int)
    assert pods_average(333, [333, 333, 334]) == 3
    assert pods_average(333, [334, 334, 334]) == 4


def test_utilization_saturates_too() -> None:
    values = [(LARGEST_MILLI, 1), (LARGEST_MILLI, 1)]
    assert utilization(values, 1).current == MOST_REPLICAS
    assert cpu(1, [SETTLED] * 2, [LARGEST_MILLI] * 2, request_m=1).replicas == MOST_REPLICAS


def test_samples_of_unknown_pods_count_for_an_average_but_not_for_utilization() -> None:
    reading = Reading(samples=sampled(1000), requests_m=(1000,), unmatched_m=(3000,))
    by_request = proposal(Metric("resource_utilization", 100), reading, 1, SETTLED)
    assert (by_request.replicas, by_request.utilization_pct) == (1, 100)
    by_mean = proposal(Metric("pods_average", 1000), reading, 1, SETTLED)
    assert (by_mean.replicas, by_mean.usage_m) == (2, 2000)


@pytest.mark.parametrize(
    ("metric", "reading", "pods", "reason"),
    [
        (Metric("pods_average", 1), Reading(), [], "no_metrics"),
        (Metric("pods_average", 1), Reading(unmatched_m=(1,)), [], "no_pods"),
        (Metric("pods_average", 1), Reading(samples=(None,)), [SETTLED], "no_metrics"),
        (Metric("pods_average", 1), Reading(samples=sampled(5)), [FAILED], "no_metrics"),
        (Metric("pods_average", 1), Reading(samples=sampled(5)), [PENDING], "no_metrics"),
        (
            Metric("resource_utilization", 1),
            Reading(samples=(None,), requests_m=(10,), unmatched_m=(1,)),
            [SETTLED],
            "no_matching_metrics",
        ),
        (
            Metric("resource_utilization", 1),
            Reading(samples=sampled(5), requests_m=(0,)),
            [SETTLED],
            "no_matching_metrics",
        ),
        (
            Metric("resource_utilization", 1),
            Reading(samples=sampled(5, 5), requests_m=(10, None)),
            [SETTLED, FAILED],
            "missing_request",
        ),
        (
            Metric("resource_utilization", 1),
            Reading(samples=(None,), requests_m=(None,)),
            [SETTLED],
            "no_metrics",
        ),
        (Metric("external_value", 1), Reading(), [SETTLED], "no_metrics"),
        (Metric("object_average", 1), Reading(), [SETTLED], "no_metrics"),
        (Metric("object_value", 1), Reading(values_m=(5,)), [], "no_pods"),
    ],
)
def test_a_metric_that_allows_no_proposal_says_why(
    metric: Metric, reading: Reading, pods: list[Pod], reason: str
) -> None:
    with pytest.raises(MetricUnavailableError) as raised:
        proposal(metric, reading, 2, *pods)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Metric("pods_average", 0), "target"),
        (lambda: Metric("pods_average", 2**63), "target"),
        (lambda: Sample(-1, 0), "value_m"),
        (lambda: Sample(2**63, 0), "value_m"),
        (lambda: Reading(values_m=(1, -1)), "values_m"),
        (lambda: Reading(requests_m=(None, -1)), "requests_m"),
        (lambda: Reading(unmatched_m=(2**63,)), "unmatched_m"),
        (lambda: proposal(Metric("pods_average", 1), Reading(), 1, SETTLED), "samples"),
        (
            lambda: proposal(
                Metric("resource_utilization", 1), Reading(samples=sampled(1)), 1, SETTLED
            ),
            "requests_m",
        ),
    ],
)
def test_a_value_outside_what_is_accepted_is_refused(build: Any, field: str) -> None:
    with pytest.raises(HpaError) as raised:
        build()
    assert raised.value.field == field
