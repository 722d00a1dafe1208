"""Declared commitments as prices of the reserved machines that they pay for."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import floor

from costs.price import Machine
from costs.prices.override import Fixed, Rule, Scope
from costs.resources import Commitment


def commitment_rules(commitments: Iterable[Commitment], source: str) -> list[Rule]:
    """Return a rule for each stretch of time in which the same commitments pay for a machine.

    An hour costs the mean of what they come to, upfront payments spread over their terms, rounded
    down to whole micro-USD: what that leaves of a commitment counts as unused. `source` is the
    name of the file.
    """
    by_machine: dict[Machine, list[Commitment]] = {}
    for commitment in commitments:
        by_machine.setdefault(commitment.machine, []).append(commitment)
    return [
        rule for machine, own in sorted(by_machine.items()) for rule in _rules(machine, own, source)
    ]


def _rules(machine: Machine, commitments: list[Commitment], source: str) -> Iterator[Rule]:
    edges = sorted({edge for each in commitments for edge in (each.from_us, each.to_us)})
    for begin, end in pairwise(edges):
        active = [each for each in commitments if each.from_us <= begin < each.to_us]
        if not active:
            continue
        count = sum(each.count for each in active)
        owed = sum((each.effective_micro_usd_per_hour * each.count for each in active), Fraction(0))
        names = ", ".join(sorted(each.commitment_id for each in active))
        scope = Scope(machine.cloud, machine.region, machine.instance_type, machine.purchase_option)
        effect = Fixed(floor(owed / count), "in force", source)
        yield Rule(f"commitment {names}", scope, effect, begin, end)
