"""Rules of the user over the list: negotiated discounts, fixed prices, own machines.

A fixed price wins over a discount, a rule for less over a rule for more. Two rules of a kind that
meet on a machine and a time with neither being for less contradict each other and are refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import combinations

from costs.price import Machine
from costs.prices.glob import ANY, covers, meet
from costs.prices.table import PriceFileError, day_text

END_OF_TIME_US = 2**63


@dataclass(frozen=True)
class Discount:
    """`percent` off the list price; the result is rounded half to even to whole micro-USD."""

    percent: Fraction


@dataclass(frozen=True)
class Fixed:
    """A price whatever the list says; `as_of` and `source` say when and by whom it was set."""

    micro_usd_per_hour: int
    as_of: str
    source: str


@dataclass(frozen=True)
class Scope:
    """The machines that a rule is for: patterns with * and ?, each any unless said."""

    cloud: str = ANY
    region: str = ANY
    instance_type: str = ANY
    purchase_option: str = ANY

    def has(self, machine: Machine) -> bool:
        """Return whether the rule is for `machine`."""
        return all(
            fnmatchcase(value, pattern)
            for value, pattern in zip(_parts(machine), _parts(self), strict=True)
        )

    def covers(self, other: "Scope") -> bool:
        """Return whether this is surely for every machine that `other` is for."""
        return all(map(covers, _parts(self), _parts(other)))

    def meets(self, other: "Scope") -> bool:
        """Return whether there could be a machine that both are for."""
        return all(map(meet, _parts(self), _parts(other)))


@dataclass(frozen=True)
class Rule:
    """An effect on the price of machines from an instant on (None: ever) until before another."""

    name: str
    scope: Scope
    effect: Discount | Fixed
    valid_from_us: int | None = None
    valid_to_us: int | None = None

    @property
    def from_us(self) -> int:
        """The instant from which the rule holds."""
        return 0 if self.valid_from_us is None else self.valid_from_us

    @property
    def to_us(self) -> int:
        """The instant from which it does not hold any more."""
        return END_OF_TIME_US if self.valid_to_us is None else self.valid_to_us


class Overrides:
    """All rules of the user. Raises PriceFileError where two contradict each other."""

    def __init__(self, rules: Iterable[Rule], name: str = "overrides") -> None:
        self.rules: Sequence[Rule] = tuple(rules)
        for one, other in combinations(self.rules, 2):
            if _contradict(one, other):
                raise PriceFileError(
                    f"{name}: the rules {one.name!r} and {other.name!r} are for some of the same "
                    f"machines at the same time ({_common(one, other)}); accepted: rules apart, "
                    "or one for a part of what the other is for"
                )

    def of(self, machine: Machine) -> list[Rule]:
        """Return every rule that is for `machine`, at whatever time."""
        return [rule for rule in self.rules if rule.scope.has(machine)]

    def machines(self) -> set[Machine]:
        """Return the machines that a fixed price names in full: the list may not have them."""
        return {
            Machine(*_parts(rule.scope))
            for rule in self.rules
            if isinstance(rule.effect, Fixed)
            and not any(set(part) & set("*?") for part in _parts(rule.scope))
        }

    def changes(self) -> set[int]:
        """Return every instant at which a rule begins or ends."""
        return changes(self.rules)


NO_OVERRIDES = Overrides(())


def changes(rules: Iterable[Rule]) -> set[int]:
    """Return every instant at which one of `rules` begins or ends."""
    return {edge for rule in rules for edge in (rule.from_us, rule.valid_to_us) if edge is not None}


def deciding(rules: Iterable[Rule], instant_us: int) -> Rule | None:
    """Return which of `rules`, all for one machine, decides on its price at `instant_us`."""
    found: Rule | None = None
    for rule in rules:
        if rule.from_us <= instant_us < rule.to_us:
            found = rule if found is None or _wins(rule, found) else found
    return found


def _parts(of: Scope | Machine) -> tuple[str, str, str, str]:
    return of.cloud, of.region, of.instance_type, of.purchase_option


def _wins(one: Rule, other: Rule) -> bool:
    if type(one.effect) is not type(other.effect):
        return isinstance(one.effect, Fixed)
    return other.scope.covers(one.scope)


def _contradict(one: Rule, other: Rule) -> bool:
    return (
        type(one.effect) is type(other.effect)
        and max(one.from_us, other.from_us) < min(one.to_us, other.to_us)
        and one.scope.meets(other.scope)
        and one.scope.covers(other.scope) == other.scope.covers(one.scope)
    )


def _common(one: Rule, other: Rule) -> str:
    begin = max(one.valid_from_us or 0, other.valid_from_us or 0)
    end = min(one.to_us, other.to_us)
    since = f"from {day_text(begin)}" if begin else "ever"
    return since if end == END_OF_TIME_US else f"{since} until {day_text(end)}"
