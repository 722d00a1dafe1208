"""What is not as usual is found on its day, once, and what is usual is not found."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.deviation import LEAST_DAYS, Deviation, watch

MONDAY = date(2026, 6, 1)
WEEK = (1.1, 1.15, 1.15, 1.1, 1.05, 0.7, 0.75)


def weeks_of(level: float, days: int, noise: float = 0.0, seed: int = 1) -> list[float]:
    factors = np.exp(np.random.default_rng(seed).normal(0, noise, days)) if noise else np.ones(days)
    return [float(level * WEEK[n % 7] * factors[n]) for n in range(days)]


def found(values: list[float], running: float | None = None) -> list[Deviation]:
    return list(watch(MONDAY, values, running).deviations)


def test_a_spike_is_found_on_its_day_with_what_was_usual() -> None:
    values = weeks_of(100, 90, noise=0.03)
    values[70] = 200.0
    [spike] = found(values)
    assert (spike.first, spike.last, spike.actual, spike.stays) == (70, 70, 200.0, False)
    assert spike.usual.value == pytest.approx(110, rel=0.05)
    # Of noise of 3 %, four standard deviations are 12 %: the least change of 15 % counts.
    assert spike.usual.high / spike.usual.value == pytest.approx(1.15, abs=0.03)
    assert spike.score == pytest.approx((200 / 110 - 1) / 0.03, rel=0.4)


def test_a_level_that_shifts_is_found_once_and_is_the_usual_from_its_third_day() -> None:
    values = weeks_of(100, 120, noise=0.03)
    values[60:] = [1.6 * value for value in values[60:]]
    [shift] = found(values)
    assert (shift.first, shift.last, shift.stays) == (60, 62, True)
    usual = watch(MONDAY, values).usual[63]
    assert usual is not None
    assert usual.value == pytest.approx(160 * WEEK[0], rel=0.05)


def test_a_level_that_shifts_back_is_found_again() -> None:
    values = weeks_of(100, 120, noise=0.03)
    values[60:80] = [1.6 * value for value in values[60:80]]
    up, down = found(values)
    assert (up.first, up.up, down.first, down.up) == (60, True, 80, False)
    assert down.stays


@pytest.mark.parametrize("begin", range(60, 67))
def test_a_machine_that_came_to_stay_is_told_once_whatever_weekday_it_comes(begin: int) -> None:
    # It costs the same every day, so the week is flatter than the weeks before led one to expect.
    values = [
        value + 90 * (n >= begin) for n, value in enumerate(weeks_of(100, 120, noise=0.03, seed=2))
    ]
    assert [(d.first, d.last, d.stays) for d in found(values)] == [(begin, begin + 2, True)]


def test_work_that_rests_at_weekends_is_told_when_it_comes_and_on_its_first_weekend() -> None:
    values = [value + 100 * (n >= 63 and n % 7 < 5) for n, value in enumerate(weeks_of(100, 150))]
    assert [(d.first, d.last, d.up) for d in found(values)] == [(63, 65, True), (68, 69, False)]


def test_a_weekday_that_changes_is_told_twice_and_is_the_usual_from_then_on() -> None:
    values = weeks_of(100, 150, noise=0.03)
    values[62::7] = [value + 300 for value in values[62::7]]
    assert [(d.first, d.up) for d in found(values)] == [(62, True), (69, True)]
    values[118::7] = weeks_of(100, 150, noise=0.03)[118::7]
    assert [d.first for d in found(values)] == [62, 69, 118, 125]


def test_two_spikes_on_one_weekday_do_not_hide_the_usual() -> None:
    values = weeks_of(100, 120, noise=0.03)
    values[60] *= 3
    values[67] *= 0.4
    assert [d.first for d in found(values)] == [60, 67]


def test_two_spikes_a_month_apart_are_two_and_neither_hides_the_other() -> None:
    values = weeks_of(100, 120, noise=0.03)
    values[60] *= 3
    values[61] *= 0.4
    values[90] *= 1.5
    assert [(d.first, d.up) for d in found(values)] == [(60, True), (61, False), (90, True)]


def test_a_level_that_shifts_days_after_a_spike_is_another_deviation() -> None:
    values = weeks_of(100, 120, noise=0.03)
    values[60] *= 3
    values[65:] = [1.5 * value for value in values[65:]]
    assert [(d.first, d.last, d.stays) for d in found(values)] == [(60, 60, False), (65, 67, True)]


def test_days_of_a_shift_that_noise_hides_do_not_cut_it_in_two() -> None:
    values = weeks_of(100, 90)
    values[60:] = [1.3 * value for value in values[60:]]
    values[61] /= 1.16
    values[63] /= 1.16
    assert [(d.first, d.last, d.stays) for d in found(values)] == [(60, 64, True)]


def test_an_outage_is_found_and_so_is_the_end_of_a_service_but_once() -> None:
    values = weeks_of(100, 120, noise=0.03)
    assert [d.first for d in found([*values[:60], 0.0, *values[61:]])] == [60]
    assert [(d.first, d.stays) for d in found([*values[:60], *[0.0] * 60])] == [(60, True)]


def test_what_comes_back_after_weeks_of_nothing_is_found() -> None:
    values = weeks_of(100, 120)
    values[60:90] = [0.0] * 30
    assert [(d.first, d.up) for d in found(values)] == [(60, False), (90, True)]


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.03])
def test_a_weekend_is_no_anomaly(noise: float) -> None:
    assert (
        found([v if n % 7 < 5 else v / 20 for n, v in enumerate(weeks_of(100, 200, noise))]) == []
    )
    assert found([v if n % 7 < 5 else 0.0 for n, v in enumerate(weeks_of(100, 200, noise))]) == []


def test_tiny_noise_on_what_never_changes_is_no_anomaly() -> None:
    values = [4.284 + 0.001 * (n % 3) for n in range(200)]
    values[150] = 4.4
    assert found(values) == []
    values[150] = 5.5
    assert [d.first for d in found(values)] == [150]


def test_nothing_is_said_of_the_first_four_weeks() -> None:
    values = weeks_of(100, LEAST_DAYS)
    values[10] = 5_000.0
    values[27] = 5_000.0
    watched = watch(MONDAY, values)
    assert watched.deviations == ()
    assert watched.usual == (None,) * LEAST_DAYS
    assert [d.first for d in found([*weeks_of(100, LEAST_DAYS), 5_000.0])] == [LEAST_DAYS]
    # Days before the service existed are no weeks of it.
    assert found([0.0] * 100 + weeks_of(100, LEAST_DAYS)) == []


def test_growth_of_a_tenth_in_a_month_is_no_anomaly() -> None:
    assert found([v * 1.1 ** (n / 30) for n, v in enumerate(weeks_of(100, 300, 0.03))]) == []


def test_a_running_day_is_found_once_it_is_beyond_a_whole_one_and_never_for_being_small() -> None:
    values = weeks_of(100, 70, noise=0.02)
    assert found(values, running=0.0) == []
    assert found(values, running=115.0) == []
    assert [(d.first, d.actual) for d in found(values, running=140.0)] == [(70, 140.0)]


def test_false_alarms_are_rare_and_spikes_are_found() -> None:
    days, alarms, doubled, halved = 0, 0, 0, 0
    for seed in range(100):
        values = weeks_of(100, 120, noise=0.1, seed=seed)
        alarms += len(found(values))
        days += 120 - LEAST_DAYS
        doubled += any(d.first == 80 for d in found([*values[:80], 2 * values[80]]))
        halved += any(d.first == 80 for d in found([*values[:80], 0.4 * values[80]]))
    # Beyond four standard deviations are 0.006 % of days; having to learn them makes it more.
    assert alarms / days <= 0.002
    assert doubled >= 97
    assert halved >= 90


VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=70)


@given(past=VALUES, later=VALUES)
def test_what_is_said_of_a_day_is_not_changed_by_later_days(
    past: list[float | None], later: list[float | None]
) -> None:
    then, now = watch(MONDAY, past), watch(MONDAY, [*past, *later])
    assert now.usual[: len(past)] == then.usual
    said = [(d.first, d.actual, d.usual, d.score) for d in then.deviations]
    assert [(d.first, d.actual, d.usual, d.score) for d in now.deviations][: len(said)] == said


def test_much_on_one_weekday_beside_next_to_nothing_has_a_usual() -> None:
    values = [1e-308] * 90
    values[40::7] = [1e6] * len(values[40::7])
    assert all(watch(MONDAY, values).usual[LEAST_DAYS:])


@given(values=VALUES)
def test_ranges_are_finite_and_ordered_whatever_the_days(values: list[float | None]) -> None:
    for usual in watch(MONDAY, values).usual:
        assert usual is None or 0 <= usual.low <= usual.value <= usual.high < float("inf")
