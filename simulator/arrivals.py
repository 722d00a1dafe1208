"""Arrival processes: when requests come, as seconds since the start.

Every function returns a sorted float64 array of instants in [0, duration_s) and draws all its
randomness from the generator it is given, so the same seed gives the same instants.
"""

import math

import numpy as np

from simulator.errors import WorkloadError
from simulator.workload import Floats

DAY_S = 86_400.0

# A larger workload would not fit in memory; asking for one is a slip of the unit.
MOST_ARRIVALS = 100_000_000
MOST_BURSTS = 1_000_000


def poisson_arrivals(rng: np.random.Generator, rate_rps: float, duration_s: float) -> Floats:
    """Return arrivals of a homogeneous Poisson process of `rate_rps` requests a second.

    The count is Poisson and, given the count, the instants are independent and uniform
    (Kingman, Poisson Processes, 1993, section 2.4).
    Raises WorkloadError unless both are positive and finite and the product is affordable.
    """
    _check_size(rate_rps, duration_s)
    return _poisson(rng, rate_rps, duration_s)


def bursty_arrivals(
    rng: np.random.Generator,
    rate_rps: float,
    duration_s: float,
    *,
    burst_factor: float = 8.0,
    mean_burst_s: float = 5.0,
    mean_quiet_s: float = 45.0,
) -> Floats:
    """Return arrivals of a two-state Markov-modulated Poisson process (MMPP-2).

    The process alternates between quiet and burst, each lasting an exponential time of the mean
    given; the rate in a burst is `burst_factor` times the rate in quiet. It starts in its
    stationary state, so the expected rate is `rate_rps` at every instant:
    rate_rps = quiet_rate * (1 + p * (burst_factor - 1)), p the share of time in a burst.
    Source: Fischer and Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook,
    Performance Evaluation 18 (1993).
    Raises WorkloadError unless the times are positive, burst_factor is at least 1 and all finite.
    """
    _check_size(rate_rps, duration_s)
    _check_positive("mean_burst_s", mean_burst_s)
    _check_positive("mean_quiet_s", mean_quiet_s)
    if not (math.isfinite(burst_factor) and burst_factor >= 1):
        raise WorkloadError("burst_factor", burst_factor, "a finite number, 1 or more")

    cycle_s = mean_burst_s + mean_quiet_s
    if duration_s / cycle_s > MOST_BURSTS:
        accepted = f"times with at most {MOST_BURSTS:,} bursts in duration_s"
        raise WorkloadError("mean_burst_s + mean_quiet_s", cycle_s, accepted)
    burst_share = mean_burst_s / cycle_s
    quiet_rps = rate_rps / (1 + burst_share * (burst_factor - 1))
    first_is_burst = bool(rng.random() < burst_share)

    dwell_means_s = np.array([mean_quiet_s, mean_burst_s])
    if first_is_burst:
        dwell_means_s = dwell_means_s[::-1]
    ends_s = np.zeros(0)
    while not (ends_s.size and ends_s[-1] >= duration_s):
        covered_s = ends_s[-1] if ends_s.size else 0.0
        pairs = math.ceil((duration_s - covered_s) / cycle_s) + 8
        dwells_s = rng.exponential(np.tile(dwell_means_s, pairs))
        ends_s = np.concatenate([ends_s, covered_s + np.cumsum(dwells_s)])
    ends_s = np.minimum(ends_s, duration_s)
    starts_s = np.concatenate([[0.0], ends_s[:-1]])
    lengths_s = ends_s - starts_s

    is_burst = (np.arange(ends_s.size) % 2 == 0) == first_is_burst
    counts = rng.poisson(np.where(is_burst, burst_factor * quiet_rps, quiet_rps) * lengths_s)
    offsets_s = rng.random(counts.sum()) * np.repeat(lengths_s, counts)
    return _before(np.sort(np.repeat(starts_s, counts) + offsets_s), duration_s)


def daily_arrivals(
    rng: np.random.Generator,
    rate_rps: float,
    duration_s: float,
    *,
    peak_to_mean: float = 1.6,
    period_s: float = DAY_S,
    peak_at_s: float | None = None,
) -> Floats:
    """Return arrivals of a Poisson process whose rate follows a sinusoidal daily cycle.

    rate(t) = rate_rps * (1 + (peak_to_mean - 1) * cos(2 pi (t - peak_at_s) / period_s)), so the
    mean over whole periods is `rate_rps`; `peak_at_s` defaults to the middle of the period.
    A shorter `period_s` compresses a day. By thinning: Lewis and Shedler, Simulation of
    nonhomogeneous Poisson processes by thinning, Naval Research Logistics Quarterly 26 (1979).
    Raises WorkloadError unless peak_to_mean is 1 to 2 (beyond 2 the rate would be negative at
    night), period_s is positive and all are finite.
    """
    _check_size(rate_rps, duration_s)
    _check_positive("period_s", period_s)
    if not 1 <= peak_to_mean <= 2:
        raise WorkloadError("peak_to_mean", peak_to_mean, "a number from 1 to 2")
    peak_s = period_s / 2 if peak_at_s is None else peak_at_s
    if not math.isfinite(peak_s):
        raise WorkloadError("peak_at_s", peak_at_s, "a finite number of seconds")

    candidates_s = _poisson(rng, rate_rps * peak_to_mean, duration_s)
    phase = 2 * np.pi * (candidates_s - peak_s) / period_s
    relative_rate = 1 + (peak_to_mean - 1) * np.cos(phase)
    return candidates_s[rng.random(candidates_s.size) * peak_to_mean < relative_rate]


def _poisson(rng: np.random.Generator, rate_rps: float, duration_s: float) -> Floats:
    count = rng.poisson(rate_rps * duration_s)
    return _before(np.sort(rng.random(count) * duration_s), duration_s)


def _before(arrived_at_s: Floats, duration_s: float) -> Floats:
    # A product of floats may round up to duration_s itself, which is outside.
    return np.minimum(arrived_at_s, np.nextafter(duration_s, 0.0))


def _check_size(rate_rps: float, duration_s: float) -> None:
    _check_positive("rate_rps", rate_rps)
    _check_positive("duration_s", duration_s)
    if rate_rps * duration_s > MOST_ARRIVALS:
        accepted = f"at most {MOST_ARRIVALS:,} requests in all"
        raise WorkloadError("rate_rps * duration_s", rate_rps * duration_s, accepted)


def _check_positive(field: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise WorkloadError(field, value, "a finite number above 0")
