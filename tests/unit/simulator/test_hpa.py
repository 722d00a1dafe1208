import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hpa.errors import HpaError
from simulator.hpa.ratio import (
    MOST_REPLICAS,
    Tolerance,
    ceil_replicas,
    clamp,
    desired_replicas,
    replicas_for_ratio,
)
from simulator.hpa.stabilization import (
    SECOND_US,
    Advice,
    Stabilizer,
    Windows,
    stabilize,
    stabilize_down_only,
)

REPLICAS = st.integers(0, 1000)
RATIOS = st.floats(0, 100)
SIDES = st.floats(0, 2)
TOLERANCES = st.builds(Tolerance, SIDES, SIDES)
LOGS = st.lists(
    st.builds(Advice, st.integers(0, 1000).map(lambda s: s * SECOND_US), REPLICAS), max_size=12
).map(tuple)
WINDOW_SECONDS = st.integers(0, 900)
NOW_US = 1000 * SECOND_US


@settings(deadline=None)
@given(REPLICAS, TOLERANCES, st.floats(0, 1))
def test_within_the_tolerance_nothing_changes(
    current: int, tolerance: Tolerance, share: float
) -> None:
    for ratio in (1 - tolerance.scale_down * share, 1 + tolerance.scale_up * share):
        if tolerance.holds(ratio):
            assert replicas_for_ratio(current, ratio, tolerance) == current
    assert tolerance.holds(1.0)
    assert tolerance.holds(1.0 + tolerance.scale_up)
    assert tolerance.holds(1.0 - tolerance.scale_down)


@settings(deadline=None)
@given(REPLICAS, RATIOS, RATIOS, TOLERANCES)
def test_more_of_a_metric_never_asks_for_fewer_replicas(
    current: int, first: float, second: float, tolerance: Tolerance
) -> None:
    low, high = sorted((first, second))
    assert replicas_for_ratio(current, low, tolerance) <= replicas_for_ratio(
        current, high, tolerance
    )


@settings(deadline=None)
@given(st.integers(1, 1000), RATIOS)
def test_the_replicas_asked_for_bring_the_metric_to_its_target_and_no_fewer_would(
    current: int, ratio: float
) -> None:
    replicas = replicas_for_ratio(current, ratio, Tolerance(0, 0))
    load = ratio * current
    assert replicas >= load or math.isclose(replicas, load)
    assert replicas == 0 or replicas - 1 < load


@settings(deadline=None)
@given(REPLICAS, st.lists(RATIOS, min_size=1), TOLERANCES)
def test_the_most_demanding_metric_decides(
    current: int, ratios: list[float], tolerance: Tolerance
) -> None:
    alone = [replicas_for_ratio(current, ratio, tolerance) for ratio in ratios]
    assert desired_replicas(current, ratios, tolerance) == max(alone)


@settings(deadline=None)
@given(REPLICAS, st.lists(RATIOS), TOLERANCES, st.integers(1, 3))
def test_with_a_failed_metric_the_others_may_scale_up_but_not_down(
    current: int, ratios: list[float], tolerance: Tolerance, failed: int
) -> None:
    desired = desired_replicas(current, [*ratios, *[None] * failed], tolerance)
    if ratios:
        assert desired == max(current, desired_replicas(current, ratios, tolerance))
    else:
        assert desired == current


def test_without_any_metric_nothing_changes() -> None:
    assert desired_replicas(3, [], Tolerance()) == 3
    assert desired_replicas(3, [None, None], Tolerance()) == 3


def test_each_side_has_its_own_tolerance() -> None:
    tolerance = Tolerance(scale_down=0.5, scale_up=0.0)
    assert replicas_for_ratio(10, 0.5, tolerance) == 10
    assert replicas_for_ratio(10, 0.49, tolerance) == 5
    assert replicas_for_ratio(10, 1.01, tolerance) == 11


def test_releases_before_1_33_left_the_bound_itself_outside() -> None:
    assert replicas_for_ratio(10, 1.1, Tolerance()) == 10
    assert replicas_for_ratio(10, 1.1, Tolerance(before_v1_33=True)) == 11


@pytest.mark.parametrize(
    ("replicas", "whole"),
    [
        (0.0, 0),
        (-0.5, 0),
        (-math.inf, 0),
        (1e-9, 1),
        (2.0, 2),
        (2.000001, 3),
        (MOST_REPLICAS - 0.5, MOST_REPLICAS),
        (1e300, MOST_REPLICAS),
        (math.inf, MOST_REPLICAS),
    ],
)
def test_replicas_are_whole_and_saturate(replicas: float, whole: int) -> None:
    assert ceil_replicas(replicas) == whole


def test_a_ratio_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(HpaError, match="replicas is nan; accepted: a number"):
        desired_replicas(3, [1.0, math.nan], Tolerance())


@pytest.mark.parametrize("side", [-0.1, math.nan, math.inf])
def test_a_tolerance_that_makes_no_sense_is_refused(side: float) -> None:
    with pytest.raises(HpaError, match=r"tolerance\.scale_up is"):
        Tolerance(scale_up=side)
    with pytest.raises(HpaError, match=r"tolerance\.scale_down is"):
        Tolerance(scale_down=side)


@settings(deadline=None)
@given(st.integers(-5, 2000), REPLICAS, REPLICAS)
def test_a_clamped_number_lies_within_the_bounds(replicas: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert low <= clamp(replicas, low, high) <= high
    if low <= replicas <= high:
        assert clamp(replicas, low, high) == replicas


@settings(deadline=None)
@given(LOGS, REPLICAS, REPLICAS, WINDOW_SECONDS, WINDOW_SECONDS)
def test_stabilised_replicas_respect_all_advice_of_both_windows(
    log: tuple[Advice, ...], current: int, desired: int, up_s: int, down_s: int
) -> None:
    windows = Windows(up_s * SECOND_US, down_s * SECOND_US)
    result = stabilize(log, NOW_US, current, desired, windows).replicas

    ups = [a.replicas for a in log if a.at_us > NOW_US - windows.scale_up_us]
    downs = [a.replicas for a in log if a.at_us > NOW_US - windows.scale_down_us]
    if result < current:
        assert result >= max([desired, *downs])
    if result > current:
        assert result <= min([desired, *ups])
    assert min(current, desired) <= result <= max(current, desired)


@settings(deadline=None)
@given(LOGS, REPLICAS, WINDOW_SECONDS)
def test_without_behavior_the_highest_advice_of_the_window_holds(
    log: tuple[Advice, ...], desired: int, window_s: int
) -> None:
    result = stabilize_down_only(log, NOW_US, desired, window_s * SECOND_US).replicas
    recent = [a.replicas for a in log if NOW_US - a.at_us <= window_s * SECOND_US]
    assert result == max([desired, *recent])


@pytest.mark.parametrize(
    ("age_s", "with_behavior", "without"), [(299, 9, 9), (300, 1, 9), (301, 1, 1)]
)
def test_only_without_behavior_does_advice_as_old_as_the_window_count(
    age_s: int, with_behavior: int, without: int
) -> None:
    log = (Advice(NOW_US - age_s * SECOND_US, 9),)
    windows = Windows(0, 300 * SECOND_US)
    assert stabilize(log, NOW_US, 9, 1, windows).replicas == with_behavior
    assert stabilize_down_only(log, NOW_US, 1, 300 * SECOND_US).replicas == without


@settings(deadline=None)
@given(LOGS, REPLICAS, WINDOW_SECONDS, WINDOW_SECONDS)
def test_the_log_keeps_all_that_a_window_reaches_and_the_raw_advice(
    log: tuple[Advice, ...], desired: int, up_s: int, down_s: int
) -> None:
    windows = Windows(up_s * SECOND_US, down_s * SECOND_US)
    kept = stabilize(log, NOW_US, 5, desired, windows).log

    reached_us = NOW_US - max(windows.scale_up_us, windows.scale_down_us)
    obsolete = [advice for advice in log if advice.at_us < reached_us]
    assert Advice(NOW_US, desired) in kept
    assert [a for a in log if a.at_us >= reached_us] == [
        a for a in kept if a.at_us >= reached_us and a is not _new(log, kept)
    ]
    assert len(kept) == len(log) + (0 if obsolete else 1)


def _new(log: tuple[Advice, ...], kept: tuple[Advice, ...]) -> Advice:
    """Return the entry that replaced another one or was appended."""
    changed = [new for old, new in zip(log, kept, strict=False) if old is not new]
    return changed[0] if changed else kept[-1]


def test_a_slot_is_free_once_no_window_reaches_it() -> None:
    for age_s, length in ((299, 2), (300, 2), (301, 1)):
        log = (Advice(NOW_US - age_s * SECOND_US, 9),)
        assert len(stabilize_down_only(log, NOW_US, 1, 300 * SECOND_US).log) == length
        assert len(stabilize(log, NOW_US, 9, 1, Windows(0, 300 * SECOND_US)).log) == length
        assert len(stabilize(log, NOW_US, 9, 1, Windows(300 * SECOND_US, 0)).log) == length


def test_a_burst_goes_up_at_once_and_down_only_after_the_window() -> None:
    stabilizer = Stabilizer(Windows(scale_down_us=60 * SECOND_US))
    current, seen = 1, []
    for tick, desired in enumerate([1, 6, 1, 1, 1, 1, 1]):
        current = stabilizer.replicas(tick * 15 * SECOND_US, current, desired)
        seen.append(current)
    assert seen == [1, 6, 6, 6, 6, 1, 1]


def test_an_up_window_waits_until_the_advice_stays_high() -> None:
    stabilizer = Stabilizer(Windows(scale_up_us=30 * SECOND_US, scale_down_us=0))
    current, seen = 2, []
    for tick, desired in enumerate([9, 2, 9, 8, 9]):
        current = stabilizer.replicas(tick * 15 * SECOND_US, current, desired)
        seen.append(current)
    assert seen == [2, 2, 2, 8, 8]


def test_a_fresh_start_does_not_scale_down_before_the_window_has_passed() -> None:
    stabilizer = Stabilizer(Windows(scale_down_us=300 * SECOND_US))
    held = [stabilizer.replicas(s * SECOND_US, 4, 1) for s in range(0, 300, 15)]
    assert held == [4] * 20
    assert stabilizer.replicas(300 * SECOND_US, 4, 1) == 1


@settings(deadline=None)
@given(st.lists(REPLICAS, max_size=40))
def test_without_windows_the_advice_is_followed(advice: list[int]) -> None:
    stabilizer = Stabilizer(Windows(0, 0))
    current = 3
    for tick, desired in enumerate(advice):
        current = stabilizer.replicas(tick * SECOND_US, current, desired)
        assert current == desired


@pytest.mark.parametrize("field", ["scale_up_us", "scale_down_us"])
def test_a_negative_window_is_refused(field: str) -> None:
    with pytest.raises(HpaError, match=rf"windows\.{field} is -1"):
        Windows(**{field: -1})


def test_an_error_shows_no_more_of_a_value_than_a_line_takes() -> None:
    assert str(HpaError("field", "x" * 500, "less")) == f"field is '{'x' * 76}...; accepted: less"
