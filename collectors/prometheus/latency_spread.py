"""Requests of a classic histogram, spread over the buckets that the store keeps latency in.

The store's buckets are 2 % wide, an exporter's often a factor of two. Nothing tells where in one of
those the requests lie; they are spread evenly over it on a logarithmic scale. So a quantile of such
latencies is as coarse as the exporter's buckets.
"""

import math
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from collectors.prometheus.apportion import apportion
from store.latency_histogram import GAMMA, bucket_of
from usage.record import LONGEST_US

# (above, up to) in microseconds; the last of a histogram goes up to infinity.
Span = tuple[float, float]

_STEP = math.log(GAMMA)
_PARTS = 10**9


@lru_cache(maxsize=256)
def spans(bounds_us: tuple[float, ...]) -> list[Span]:
    """Return the spans between the upper bounds `bounds_us`, ascending, the last of them infinite.

    The first has no lower bound on a logarithmic scale: it is taken to be as wide as the second.
    """
    finite = [bound for bound in bounds_us if 0 < bound < math.inf]
    width = finite[1] / finite[0] if len(finite) > 1 else 2.0
    first = finite[0] / width if finite else 0.0
    above = (0.0, *bounds_us)
    return [
        (lower if lower > 0 else first, upper)
        for lower, upper in zip(above, bounds_us, strict=False)
    ]


def spread(counts: Mapping[Span, int]) -> dict[int, int]:
    """Return the requests of `counts` by bucket of store/latency_histogram.py; none gets lost.

    Those above the last finite bound count as if they took just that. Where there is no finite
    bound, nothing is known of them, and nothing is returned.
    """
    found: Counter[int] = Counter()
    for (above, up_to), requests in counts.items():
        if up_to <= LONGEST_US:
            found.update(apportion(requests, _weights(above, up_to)))
        elif above > 0 and requests:
            found[bucket_of(min(round(above), LONGEST_US))] += requests
    return dict(found)


@lru_cache(maxsize=4096)
def _weights(above: float, up_to: float) -> dict[int, int]:
    """Return how much of the span lies in each bucket that it touches, on a logarithmic scale."""
    begin = math.log(above) / _STEP if above > 1 else 0.0
    end = math.log(up_to) / _STEP if up_to > 1 else 0.0
    weights = {}
    # Bucket i lies between i - 1 and i on this scale.
    for bucket in range(math.floor(begin) + 1, math.ceil(end) + 1):
        weight = round((min(end, bucket) - max(begin, bucket - 1)) * _PARTS)
        if weight > 0:
            weights[bucket] = weight
    return weights or {math.ceil(end): 1}
