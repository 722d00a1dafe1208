"""Buckets of the node's duration histograms, and counts in Prometheus' cumulative form."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

# Upper bounds. Between 1 and 100 ms, where targets lie, ten a decade (Renard's R10, ISO 3): a
# quantile that Prometheus interpolates in a bucket is off by at most 28 % there. Elsewhere two to
# six a decade: by at most a factor of two, below 0.5 ms of two and a half.
BOUNDS_US = (
    100, 250, 500, 750,
    1_000, 1_250, 1_600, 2_000, 2_500, 3_150, 4_000, 5_000, 6_300, 8_000,
    10_000, 12_500, 16_000, 20_000, 25_000, 31_500, 40_000, 50_000, 63_000, 80_000,
    100_000, 150_000, 200_000, 300_000, 500_000, 750_000,
    1_000_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000,
    10_000_000, 20_000_000, 30_000_000, 60_000_000,
)  # fmt: skip
WIDTH = len(BOUNDS_US) + 1  # the last bucket has no upper bound
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

_BOUNDS = np.array(BOUNDS_US, np.int64)
_LABELS = [*(str(bound / 1e6) for bound in BOUNDS_US), "+Inf"]
_SIZE_LABELS = [*(str(float(size)) for size in BATCH_SIZES), "+Inf"]


def buckets_of(durations_us: Int64s) -> Int64s:
    """Return the bucket, 0 to WIDTH - 1, of each duration; an upper bound is in its bucket."""
    return np.searchsorted(_BOUNDS, durations_us)


def cumulative(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return (upper bound in seconds, observations up to it) of counts by duration bucket."""
    return list(zip(_LABELS, accumulate(counts), strict=True))


def cumulative_sizes(counts: Sequence[tuple[int, int]]) -> list[tuple[str, float]]:
    """Return (upper bound, observations up to it) of pairs (batch size, observations)."""
    bounds = [*BATCH_SIZES, float("inf")]
    return [
        (label, sum(count for size, count in counts if size <= bound))
        for label, bound in zip(_SIZE_LABELS, bounds, strict=True)
    ]
