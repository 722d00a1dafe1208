"""Quantiles of a latency histogram, and whether there are requests enough to speak of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from store import percentile_curve, quantile_us

# With fewer requests beyond it, a quantile is an accident of the few that happened to be slow: by
# the binomial distribution of their number, a hundred of them place it to about a tenth.
ENOUGH_TAIL = 100


@dataclass(frozen=True)
class Quantile:
    """Of `q` of the requests the latency is at most `ms`; `tail` of them took longer.

    `ms` is None where there is no request.
    """

    q: float
    ms: float | None
    tail: int

    @property
    def supported(self) -> bool:
        """Whether the tail holds requests enough for the value to be more than an accident."""
        return self.tail >= ENOUGH_TAIL


def quantile(counts: Mapping[int, int], q: float) -> Quantile:
    """Return the `q`-quantile (0 < q < 1) of `counts`, requests by bucket of their latency."""
    value_us = quantile_us(counts, q)
    requests = sum(counts.values())
    # Without the guard, binary fractions make 1,000 x 0.9 a little more than 900.
    tail = requests - math.ceil(q * requests - 1e-9)
    return Quantile(q, None if value_us is None else value_us / 1000, tail)


def share_above(counts: Mapping[int, int], limit_ms: float) -> float | None:
    """Return the share of requests whose latency is above `limit_ms`; None where there is none.

    A latency within 1 % of the limit may be counted on its other side.
    """
    if not counts:
        return None
    within = [q for q, us in percentile_curve(counts) if us <= 1000 * limit_ms]
    return 1 - within[-1] if within else 1.0
