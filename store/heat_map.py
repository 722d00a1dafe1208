"""How latency is distributed step by step: counts over time and duration."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.latency import Latency
from store.latency_histogram import GAMMA

# More rows than this are not told apart in a chart.
MOST_ROWS = 60


@dataclass(frozen=True)
class HeatMap:
    """Successful requests by step and by row of durations.

    `rows` are (above, up to) in microseconds, ascending and adjoining; `counts` is by (beginning
    of step, index in `rows`), cells without a request left out.
    """

    rows: tuple[tuple[float, float], ...]
    counts: Mapping[tuple[int, int], int]


def heat_map(steps: Sequence[Latency], most_rows: int = MOST_ROWS) -> HeatMap:
    """Return the requests of `steps`, neighbouring buckets merged until the rows are few.

    Rows are whole buckets of store/latency_histogram.py, by as many of them each.
    Raises ValueError where `most_rows` is below 2.
    """
    if most_rows < 2:
        raise ValueError(f"most_rows is {most_rows}; accepted: 2 or more")
    if not steps:
        return HeatMap((), {})
    lowest = min(min(step.counts) for step in steps)
    highest = max(max(step.counts) for step in steps)
    factor = 1
    while highest // factor - lowest // factor >= most_rows:
        factor += 1
    first = lowest // factor
    counts: Counter[tuple[int, int]] = Counter()
    for step in steps:
        for bucket, requests in step.counts.items():
            counts[step.from_us, bucket // factor - first] += requests
    return HeatMap(
        rows=tuple(
            (_upper_us(row * factor - 1), _upper_us((row + 1) * factor - 1))
            for row in range(first, highest // factor + 1)
        ),
        counts=counts,
    )


def _upper_us(bucket: int) -> float:
    """Return the longest duration in `bucket`; the one below the first ends at 0."""
    return float(GAMMA**bucket) if bucket >= 0 else 0.0
