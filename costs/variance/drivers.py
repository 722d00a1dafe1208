"""The change of one model's cost, split over what drives it: additive LMDI.

Cost is V s w (1/u) p: all requests, the model's share of them, busy time per request, utilisation
of the time provided for it, and the price of that time. Driver x has L(C1, C0) ln(x1/x0), with L
the logarithmic mean; the five add up to C1 - C0. Source: B. W. Ang, "The LMDI approach to
decomposition analysis: a practical guide", Energy Policy 33 (2005).
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from costs.money import Ticks
from costs.variance.log_mean import context_for, log, log_mean
from costs.variance.usage import Usage


class Driver(StrEnum):
    """What makes cost change, in the order in which it is told."""

    VOLUME = "volume"
    MIX = "mix"
    WORK = "work_per_request"
    UTILIZATION = "utilization"
    PRICE = "price"


Drivers = Mapping[Driver, Ticks]
"""Every driver with its part of a change, in ticks."""


def no_drivers() -> dict[Driver, Ticks]:
    """Return all drivers with a part of 0."""
    return dict.fromkeys(Driver, 0)


def split_change(before: Usage, after: Usage, all_before: int, all_after: int) -> Drivers:
    """Return the drivers of `after.cost - before.cost`; they add up to it exactly.

    Both usages are regular; `all_before` and `all_after` are the requests to all models. Whole
    ticks, with what is left of a tick in one of them where the change is no whole number.
    """
    context = context_for(before.cost, after.cost)
    ratios = (
        Fraction(all_after, all_before),
        Fraction(after.requests, before.requests),
        Fraction(after.busy_us) / before.busy_us,
        Fraction(after.provisioned_us) / before.provisioned_us,
        Fraction(after.cost) / before.cost,
    )
    # Each factor is one of these over the one before it; equal ratios have the same logarithm.
    steps = list(pairwise([Decimal(0), *(log(ratio, context) for ratio in ratios)]))
    mean = log_mean(after.cost, before.cost, context)
    exact = [context.multiply(mean, context.subtract(to, since)) for since, to in steps]
    parts = settle(exact, Fraction(after.cost) - before.cost)
    return dict(zip(Driver, parts, strict=True))


def settle(parts: Sequence[Decimal], total: Ticks) -> list[Ticks]:
    """Return `parts` in ticks such that they add up to `total`, to which they come close.

    Largest remainder: each is rounded to whole ticks, half to even, then those that lost most by it
    get a tick back, the earlier one first; the last of them gets what is left. A part of 0 stays 0,
    and parts and total of the other sign give results of the other sign.
    """
    settled: list[Ticks] = [int(part.to_integral_value(rounding=ROUND_HALF_EVEN)) for part in parts]
    left = Fraction(total) - sum(settled)
    sign = 1 if left > 0 else -1
    losses = [sign * (Fraction(part) - whole) for part, whole in zip(parts, settled, strict=True)]
    by_loss = sorted(range(len(parts)), key=lambda i: (not parts[i], -losses[i], i))
    for i in by_loss:
        step = sign * min(Fraction(1), abs(left))
        settled[i] += step
        left -= step
    return [int(part) if part == int(part) else part for part in settled]
