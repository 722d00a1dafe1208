"""The change of cost between two periods: its drivers, and what came, went or had no traffic."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from costs.checks import check_exact
from costs.money import Ticks
from costs.variance.drivers import Driver, Drivers, no_drivers, split_change
from costs.variance.usage import NO_USAGE, Usage

K = TypeVar("K", bound=Hashable)


class Kind(StrEnum):
    """Whether the change of a key is split over drivers, or why it stands on a line of its own."""

    CONTINUING = "continuing"
    NEW = "new"
    RETIRED = "retired"
    ZERO_TRAFFIC = "zero_traffic"


OWN_LINE = (Kind.NEW, Kind.RETIRED, Kind.ZERO_TRAFFIC)


@dataclass(frozen=True)
class Contribution(Generic[K]):
    """What one key adds to the change, in ticks; all drivers are 0 unless it is continuing."""

    key: K
    kind: Kind
    before: Usage
    after: Usage
    drivers: Drivers

    @property
    def change(self) -> Ticks:
        """Cost after less cost before."""
        return self.after.cost - self.before.cost


@dataclass(frozen=True)
class Variance(Generic[K]):
    """The change of cost from `before` to `after`, all in ticks.

    `contributions` has a row for each key that was there in one of the periods, the largest change
    first. `others` are the changes of what belongs to no key, by name.
    """

    before: Ticks
    after: Ticks
    contributions: tuple[Contribution[K], ...]
    others: Mapping[str, Ticks] = field(default_factory=dict)

    @property
    def change(self) -> Ticks:
        """Cost after less cost before."""
        return self.after - self.before

    @property
    def drivers(self) -> Drivers:
        """Each driver's part of the change, over all keys."""
        found = no_drivers()
        for row in self.contributions:
            for driver, part in row.drivers.items():
                found[driver] += part
        return found

    @property
    def lines(self) -> Mapping[str, Ticks]:
        """The bridge from `before` to `after`, in order: drivers, own lines, others.

        Its values add up to `change` exactly.
        """
        found: dict[str, Ticks] = {driver.value: part for driver, part in self.drivers.items()}
        for kind in OWN_LINE:
            rows = [row.change for row in self.contributions if row.kind is kind]
            found[kind.value] = sum(rows, 0)
        return {**found, **self.others}


def explain_change(
    before: Mapping[K, Usage],
    after: Mapping[K, Usage],
    others: Mapping[str, tuple[Ticks, Ticks]] | None = None,
) -> Variance[K]:
    """Return why the cost of all keys (models, tenants, ...) changed.

    Volume is that of all keys together. A key that is missing or all zero in one period is new or
    retired. One that cost something in a period without requests or without work, dedicated
    machines that stood by for example, has no logarithm: zero traffic. Where a key had requests in
    both periods and cost nothing in one, the formula's limit gives the whole change to the factor
    that was zero: to the work per request where no request was executed, else to the price.

    `others` are costs before and after that belong to no key, by the name of their line. Raises
    ValueError for one that is no exact amount or bears the name of a driver or kind.
    """
    other_lines = dict(others or {})
    _check_others(other_lines)
    all_before = sum(usage.requests for usage in before.values())
    all_after = sum(usage.requests for usage in after.values())
    rows = []
    for key in {**before, **after}:
        was, came = before.get(key, NO_USAGE), after.get(key, NO_USAGE)
        if was.absent and came.absent:
            continue
        kind = _kind(was, came)
        drivers: Drivers = no_drivers()
        if kind is Kind.CONTINUING:
            drivers = _drivers(was, came, all_before, all_after)
        rows.append(Contribution(key, kind, was, came, drivers))
    return Variance(
        before=_sum(before) + sum((was for was, _ in other_lines.values()), 0),
        after=_sum(after) + sum((came for _, came in other_lines.values()), 0),
        contributions=tuple(by_size(rows)),
        others={name: came - was for name, (was, came) in other_lines.items()},
    )


def by_size(rows: Iterable[Contribution[K]]) -> list[Contribution[K]]:
    """Return `rows`, the largest change first, whether up or down; equal ones as they stood."""
    return sorted(rows, key=lambda row: abs(Fraction(row.change)), reverse=True)


def _kind(was: Usage, came: Usage) -> Kind:
    if was.absent:
        return Kind.NEW
    if came.absent:
        return Kind.RETIRED
    if all(usage.regular or (usage.requests and not usage.cost) for usage in (was, came)):
        return Kind.CONTINUING
    return Kind.ZERO_TRAFFIC


def _drivers(was: Usage, came: Usage, all_before: int, all_after: int) -> Drivers:
    if was.cost and came.cost:
        return split_change(was, came, all_before, all_after)
    free = came if was.cost else was
    limit = Driver.PRICE if free.busy_us else Driver.WORK
    return {**no_drivers(), limit: came.cost - was.cost}


def _sum(usages: Mapping[K, Usage]) -> Ticks:
    return sum((Fraction(usage.cost) for usage in usages.values()), Fraction(0))


def _check_others(others: Mapping[str, tuple[Ticks, Ticks]]) -> None:
    taken = [*Driver, *OWN_LINE]
    for name, (was, came) in others.items():
        if name in taken:
            raise ValueError(f"others has {name!r}; accepted: none of {', '.join(taken)}")
        check_exact(f"others {name!r} before", was)
        check_exact(f"others {name!r} after", came)
