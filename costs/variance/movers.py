"""The largest changes, each with its cause, as data from which a sentence can be made."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from costs.money import Ticks
from costs.variance.change import Contribution, Kind, by_size
from costs.variance.drivers import Driver
from costs.variance.usage import Usage

K = TypeVar("K", bound=Hashable)


class Cause(StrEnum):
    """What changed the cost of one key most.

    Volume and mix are one here: of a single key, its number of requests is what people know. A
    model whose requests stayed the same while all others doubled has both, and they cancel out.
    """

    REQUESTS = "requests"
    WORK = "work_per_request"
    UTILIZATION = "utilization"
    PRICE = "price"
    NEW = "new"
    RETIRED = "retired"
    ZERO_TRAFFIC = "zero_traffic"


@dataclass(frozen=True)
class Mover(Generic[K]):
    """A change of cost and its cause, in ticks.

    `caused` is the part of the change that the cause has; other causes may work against it, so it
    may be more than the whole. `factor_before` and `factor_after` are what the cause was in the two
    periods: requests, busy microseconds per request, utilisation, micro-USD per worker-hour; None
    where the key was not there or had none, and for a cause that is no factor.
    """

    key: K
    before: Ticks
    after: Ticks
    cause: Cause
    caused: Ticks
    factor_before: Fraction | None
    factor_after: Fraction | None

    @property
    def change(self) -> Ticks:
        """Cost after less cost before."""
        return self.after - self.before


def top_movers(contributions: Iterable[Contribution[K]], count: int) -> tuple[Mover[K], ...]:
    """Return the `count` largest changes, up or down, each with its cause (see `main_cause`).

    What did not change is left out. Raises ValueError for a `count` below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}; accepted: 1 or more")
    changed = by_size(row for row in contributions if row.change)
    return tuple(_mover(row) for row in changed[:count])


def causes_of(contribution: Contribution[K]) -> dict[Cause, Ticks]:
    """Return what makes up the change of one key; it adds up to it."""
    if contribution.kind is not Kind.CONTINUING:
        return {Cause(contribution.kind): contribution.change}
    parts = contribution.drivers
    return {
        Cause.REQUESTS: parts[Driver.VOLUME] + parts[Driver.MIX],
        Cause.WORK: parts[Driver.WORK],
        Cause.UTILIZATION: parts[Driver.UTILIZATION],
        Cause.PRICE: parts[Driver.PRICE],
    }


def main_cause(contribution: Contribution[K]) -> Cause:
    """Return what drove the change of one key most in its direction, the first of equal ones.

    Requests, work and utilisation together are the time that was provided, and where that stays the
    same they cancel out, however large each is: more requests on the same machines are better used
    machines. So price is weighed against all three first, and then the three against each other.
    """
    causes = causes_of(contribution)
    if contribution.kind is not Kind.CONTINUING:
        return next(iter(causes))
    sign = 1 if contribution.change > 0 else -1
    price = causes.pop(Cause.PRICE)
    if sign * price > sign * sum(causes.values(), Fraction(0)):
        return Cause.PRICE
    return max(causes, key=lambda cause: sign * causes[cause])


def _mover(row: Contribution[K]) -> Mover[K]:
    causes = causes_of(row)
    cause = main_cause(row)
    return Mover(
        key=row.key,
        before=row.before.cost,
        after=row.after.cost,
        cause=cause,
        caused=causes[cause],
        factor_before=_factor(cause, row.before),
        factor_after=_factor(cause, row.after),
    )


def _factor(cause: Cause, usage: Usage) -> Fraction | None:
    match cause:
        case Cause.REQUESTS:
            return Fraction(usage.requests)
        case Cause.WORK:
            return usage.work_us
        case Cause.UTILIZATION:
            return usage.utilization
        case Cause.PRICE:
            return usage.price
    return None
