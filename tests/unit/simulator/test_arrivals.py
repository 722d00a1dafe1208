import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import WorkloadError, bursty_arrivals, daily_arrivals, poisson_arrivals
from simulator.workload import Floats

Process = Callable[[np.random.Generator, float, float], Floats]

PROCESSES: list[Process] = [poisson_arrivals, bursty_arrivals, daily_arrivals]
# Bounds of five standard deviations, over these seeds and no others: nothing here is left to luck.
SEEDS = range(20)
SIGMAS = 5


def index_of_dispersion(arrived_at_s: Floats, duration_s: float, window_s: float) -> float:
    counts, _ = np.histogram(arrived_at_s, bins=round(duration_s / window_s), range=(0, duration_s))
    return float(counts.var() / counts.mean())


@settings(deadline=None)
@given(
    process=st.sampled_from(PROCESSES),
    seed=st.integers(0, 2**32),
    rate_rps=st.floats(0.01, 200),
    duration_s=st.floats(0.01, 100),
)
def test_arrivals_are_sorted_inside_the_duration_and_the_same_for_the_same_seed(
    process: Process, seed: int, rate_rps: float, duration_s: float
) -> None:
    arrived_at_s = process(np.random.default_rng(seed), rate_rps, duration_s)
    again = process(np.random.default_rng(seed), rate_rps, duration_s)

    assert arrived_at_s.dtype == np.float64
    assert np.array_equal(arrived_at_s, again)
    assert (np.diff(arrived_at_s) >= 0).all()
    assert ((arrived_at_s >= 0) & (arrived_at_s < duration_s)).all()


@pytest.mark.parametrize("process", PROCESSES)
def test_another_seed_gives_other_arrivals(process: Process) -> None:
    first, second = (process(np.random.default_rng(seed), 10.0, 100.0) for seed in (1, 2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_arrivals_have_the_asked_rate_and_a_dispersion_of_one(seed: int) -> None:
    rate_rps, duration_s = 50.0, 1000.0
    arrived_at_s = poisson_arrivals(np.random.default_rng(seed), rate_rps, duration_s)

    expected = rate_rps * duration_s
    assert abs(len(arrived_at_s) - expected) < SIGMAS * math.sqrt(expected)
    # The variance of a sample variance over n windows is 2 / n, relative to its square.
    dispersion = index_of_dispersion(arrived_at_s, duration_s, window_s=1.0)
    assert abs(dispersion - 1) < SIGMAS * math.sqrt(2 / duration_s)


def test_gaps_between_poisson_arrivals_are_exponential() -> None:
    gaps_s = np.diff(poisson_arrivals(np.random.default_rng(3), 20.0, 5000.0))

    for quantile in (0.1, 0.5, 0.9, 0.99):
        expected_s = -math.log(1 - quantile) / 20.0
        share = np.mean(gaps_s <= expected_s)
        deviation = math.sqrt(quantile * (1 - quantile) / len(gaps_s))
        assert abs(share - quantile) < SIGMAS * deviation


@pytest.mark.parametrize("seed", SEEDS)
def test_bursty_arrivals_have_the_asked_rate_and_more_dispersion_than_poisson(seed: int) -> None:
    rate_rps, duration_s = 20.0, 20_000.0
    factor, burst_s, quiet_s = 8.0, 5.0, 45.0
    arrived_at_s = bursty_arrivals(
        np.random.default_rng(seed),
        rate_rps,
        duration_s,
        burst_factor=factor,
        mean_burst_s=burst_s,
        mean_quiet_s=quiet_s,
    )

    # The limit of the index of dispersion for counts, from the MMPP cookbook (1993), section 2.
    share = burst_s / (burst_s + quiet_s)
    quiet_rps = rate_rps / (1 + share * (factor - 1))
    leave_burst, leave_quiet = 1 / burst_s, 1 / quiet_s
    jump_rps = (factor - 1) * quiet_rps
    limit = 1 + 2 * jump_rps**2 * leave_burst * leave_quiet / (
        (leave_burst + leave_quiet) ** 2
        * (factor * quiet_rps * leave_quiet + quiet_rps * leave_burst)
    )
    expected = rate_rps * duration_s
    assert abs(len(arrived_at_s) - expected) < SIGMAS * math.sqrt(expected * limit)

    poisson = poisson_arrivals(np.random.default_rng(seed), rate_rps, duration_s)
    dispersion = index_of_dispersion(arrived_at_s, duration_s, window_s=5.0)
    assert dispersion > 1.5
    assert dispersion > index_of_dispersion(poisson, duration_s, window_s=5.0)


def test_bursty_arrivals_start_in_burst_as_often_as_they_are_in_burst() -> None:
    rate_rps, starts = 10.0, 4000
    rng = np.random.default_rng(5)
    counts = [len(bursty_arrivals(rng, rate_rps, 1.0)) for _ in range(starts)]

    deviation = float(np.std(counts)) / math.sqrt(starts)
    assert abs(float(np.mean(counts)) - rate_rps) < SIGMAS * deviation


def test_a_burst_factor_of_one_is_poisson() -> None:
    arrived_at_s = bursty_arrivals(np.random.default_rng(1), 50.0, 1000.0, burst_factor=1.0)

    dispersion = index_of_dispersion(arrived_at_s, 1000.0, window_s=1.0)
    assert abs(dispersion - 1) < SIGMAS * math.sqrt(2 / 1000)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("peak_at_s", [None, 0.0, 75.0])
def test_daily_arrivals_peak_where_and_as_high_as_stated(
    seed: int, peak_at_s: float | None
) -> None:
    period_s, days, rate_rps, peak_to_mean = 300.0, 10, 30.0, 1.6
    arrived_at_s = daily_arrivals(
        np.random.default_rng(seed),
        rate_rps,
        period_s * days,
        peak_to_mean=peak_to_mean,
        period_s=period_s,
        peak_at_s=peak_at_s,
    )

    expected = rate_rps * period_s * days
    assert abs(len(arrived_at_s) - expected) < SIGMAS * math.sqrt(expected)
    # The first harmonic of the arrivals: half its amplitude is the mean of exp(i phase), each of
    # whose two parts has a standard deviation of at most 1 / sqrt(n).
    stated_s = period_s / 2 if peak_at_s is None else peak_at_s
    harmonic = 2 * np.mean(np.exp(2j * np.pi * (arrived_at_s - stated_s) / period_s))
    assert abs(harmonic - (peak_to_mean - 1)) < SIGMAS * 2 * math.sqrt(2 / expected)


def test_a_default_day_peaks_at_noon() -> None:
    arrived_at_s = daily_arrivals(np.random.default_rng(2), 1.0, 86_400.0)
    by_hour, _ = np.histogram(arrived_at_s, bins=24, range=(0, 86_400))

    assert by_hour[11:13].sum() > 2 * by_hour[[0, 23]].sum()


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(
    ("rate_rps", "duration_s", "field"),
    [
        (0.0, 1.0, "rate_rps"),
        (-1.0, 1.0, "rate_rps"),
        (math.nan, 1.0, "rate_rps"),
        (1.0, 0.0, "duration_s"),
        (1.0, math.inf, "duration_s"),
        (1e9, 1e9, "rate_rps * duration_s"),
    ],
)
def test_a_rate_or_duration_that_makes_no_sense_is_refused(
    process: Process, rate_rps: float, duration_s: float, field: str
) -> None:
    with pytest.raises(WorkloadError) as raised:
        process(np.random.default_rng(0), rate_rps, duration_s)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"burst_factor": 0.5}, "burst_factor"),
        ({"burst_factor": math.inf}, "burst_factor"),
        ({"mean_burst_s": 0.0}, "mean_burst_s"),
        ({"mean_quiet_s": -1.0}, "mean_quiet_s"),
        ({"mean_burst_s": 1e-9, "mean_quiet_s": 1e-9}, "mean_burst_s + mean_quiet_s"),
    ],
)
def test_bursts_that_make_no_sense_are_refused(parameters: dict[str, float], field: str) -> None:
    with pytest.raises(WorkloadError) as raised:
        bursty_arrivals(np.random.default_rng(0), 1.0, 10.0, **parameters)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"peak_to_mean": 0.9}, "peak_to_mean"),
        ({"peak_to_mean": 2.1}, "peak_to_mean"),
        ({"peak_to_mean": math.nan}, "peak_to_mean"),
        ({"period_s": 0.0}, "period_s"),
        ({"peak_at_s": math.inf}, "peak_at_s"),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(parameters: dict[str, float], field: str) -> None:
    with pytest.raises(WorkloadError) as raised:
        daily_arrivals(np.random.default_rng(0), 1.0, 10.0, **parameters)
    assert raised.value.field == field
