"""Which slice an excess of cost stands in, and whether in more requests or in dearer ones."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import log

from costs.variance import log_mean

# A driver holds so much of the excess, and so much of what it could hold beyond its usual part.
LEAST_SHARE = 0.5
# What is usual of slices does not add up to what is usual of all of them: so little says nothing.
LEAST_BEYOND = 0.01
# Of slices that stand out about as much, the one that comes first is named.
ABOUT_AS_MUCH = 0.05


@dataclass(frozen=True)
class Part:
    """A slice on a day and as it usually is: cost in USD, and requests where it has such."""

    dimension: str
    value: str | None
    usd: float
    usual_usd: float
    requests: float | None = None
    usual_requests: float | None = None

    @property
    def excess_usd(self) -> float:
        """What it cost above what is usual."""
        return self.usd - self.usual_usd


@dataclass(frozen=True)
class Driver:
    """A slice and its part of the excess; `share` is 1 for all of it, more where others fell.

    `by_requests_usd` came of more or fewer requests, `by_unit_cost_usd` of dearer or cheaper ones;
    they add up to `excess_usd`. They are None where cost or requests were nothing before or now.
    With `in_requests` the slice stands out in requests alone: the cost of a request is not as usual
    because there were more or fewer of them at the same cost.
    """

    dimension: str
    value: str | None
    excess_usd: float
    share: float
    new: bool
    by_requests_usd: float | None
    by_unit_cost_usd: float | None
    in_requests: bool = False


def find_driver(parts: Iterable[Part], whole: Part) -> Driver | None:
    """Return the slice that stands out most in the excess of `whole`; None where none does.

    A slice stands out by its share of the excess above its usual share of its dimension. It has to
    hold half of the excess, and half of what there is to hold beyond that usual share: a dimension
    of one value explains everything and says nothing. `parts` come in the order in which to prefer
    them.
    """
    parts = list(parts)
    usual: dict[str, float] = defaultdict(float)
    for part in parts:
        usual[part.dimension] += part.usual_usd
    values = Counter(part.dimension for part in parts)
    best: tuple[float, Part, float] | None = None
    for part in parts:
        share = part.excess_usd / whole.excess_usd
        of_dimension = usual[part.dimension]
        usual_share = part.usual_usd / of_dimension if of_dimension > 0 else 0.0
        beyond = share - usual_share
        stands_out = beyond >= max(LEAST_BEYOND, LEAST_SHARE * (1 - usual_share))
        if share < LEAST_SHARE or not stands_out or values[part.dimension] == 1:
            continue
        if best is None or beyond > best[0] + ABOUT_AS_MUCH:
            best = beyond, part, share
    if best is None:
        return None
    _, part, share = best
    by_requests = _by_requests(part)
    return Driver(
        dimension=part.dimension,
        value=part.value,
        excess_usd=part.excess_usd,
        share=share,
        new=part.usual_usd <= 0,
        by_requests_usd=by_requests,
        by_unit_cost_usd=None if by_requests is None else part.excess_usd - by_requests,
    )


def _by_requests(part: Part) -> float | None:
    """Return L(cost, usual cost) x ln(requests / usual requests), L the logarithmic mean."""
    now, usual = part.requests, part.usual_requests
    if not (now and usual and min(now, usual, part.usd, part.usual_usd) > 0):
        return None
    return float(log_mean(Fraction(part.usd), Fraction(part.usual_usd))) * log(now / usual)
