"""When the requests of a stream come: growth, the hours of the week, and chance."""

import numpy as np

from simulator.history.story import HOUR_US, MONDAY_US, WEEK_US, Rhythm, Stream
from simulator.workload import Floats, Integers

# The rate is constant for so long.
BIN_US = HOUR_US // 4
# A stretch of one bin is busier or calmer than expected by about 1 / sqrt(this).
STEADINESS = 60.0
# Nothing grows for ever: a demo that runs for a year stays a demo.
GROWTH_WEEKS = 8.0


def expected_counts(stream: Stream, began_us: int, from_us: int, to_us: int) -> Floats:
    """Return the expected requests in each bin of [`from_us`, `to_us`), the last may be shorter."""
    starts = np.arange(from_us, to_us, BIN_US)
    lengths = np.minimum(starts + BIN_US, to_us) - starts
    weeks = np.clip((starts - began_us) / WEEK_US, 0.0, GROWTH_WEEKS)
    # Over the first week, the mean is the rate itself.
    grown = (1.0 + stream.growth) ** (weeks - 0.5)
    rate = stream.rate * grown * relative_rate(stream.rhythm, starts)
    return rate * lengths / 1e6


def relative_rate(rhythm: Rhythm, at_us: Integers) -> Floats:
    """Return the rate at these instants relative to the mean of a week.

    The weight of an hour holds in its middle; between, it is a straight line.
    """
    hours = np.asarray(rhythm.hours, np.float64)
    days = np.where(np.arange(7) < 5, 1.0, rhythm.weekend)
    week = (days[:, None] * hours[None, :]).ravel()
    week /= week.mean()
    place = _hour_of_week(at_us) - 0.5
    low = np.floor(place).astype(np.int64)
    share = place - low
    return week[low % 168] * (1 - share) + week[(low + 1) % 168] * share


def arrivals(
    rng: np.random.Generator, stream: Stream, began_us: int, from_us: int, to_us: int
) -> Integers:
    """Return when the requests of `stream` arrive in [`from_us`, `to_us`), ascending."""
    expected = expected_counts(stream, began_us, from_us, to_us)
    counts = rng.poisson(expected * rng.gamma(STEADINESS, 1 / STEADINESS, len(expected)))
    starts = np.arange(from_us, to_us, BIN_US)
    lengths = np.minimum(starts + BIN_US, to_us) - starts
    offsets = rng.random(int(counts.sum())) * np.repeat(lengths, counts)
    return np.sort(np.repeat(starts, counts) + offsets.astype(np.int64))


def _hour_of_week(at_us: Integers) -> Floats:
    """Return the hours since Monday 00:00 UTC."""
    hours: Floats = ((at_us - MONDAY_US) % WEEK_US) / HOUR_US
    return hours
