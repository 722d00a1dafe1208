"""How many whole units of its hours each machine is charged for, on which terms, step by step.

A unit is a millionth of an hour, so that quantity x price has no more than twelve decimals. The
same facts give the same plan: it is made once for the totals and once for the rows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from costs import Machine
from costs.apportion import Running
from costs.resources import Commitment
from reports.finance.coverage import Coverage
from reports.finance.terms import MachineTerms, Terms
from store import HOUR_US, NodeStep

UNITS_PER_HOUR = 1_000_000
UNIT_US = HOUR_US // UNITS_PER_HOUR


@dataclass(frozen=True)
class Segment:
    """`units` of a machine's hours in one step, on one kind of terms.

    `effective_pico` is their cost in 10^-12 USD, what was paid for commitments spread over time;
    `exact_pico` is what it would be without rounding to units.
    """

    terms: Terms
    units: int
    effective_pico: int
    exact_pico: Fraction

    @property
    def billed_pico(self) -> int:
        """What the provider bills for them now."""
        return 0 if self.terms.commitment else self.effective_pico


@dataclass
class MachinePlan:
    """Makes the segments of every step, in order; for one pass over the facts."""

    terms: MachineTerms
    coverage: Coverage
    _units: dict[tuple[str, Machine, str | None], Running] = field(default_factory=dict)
    _effective: dict[str, Running] = field(default_factory=dict)

    def segments(self, steps: Iterable[NodeStep]) -> Iterator[tuple[NodeStep, list[Segment]]]:
        """Yield each step with its segments: none for a machine without a price."""
        for step in steps:
            found = [
                segment
                for commitment, ran_us in self.coverage.cover(step).items()
                if (segment := self._segment(step, commitment, ran_us)) is not None
            ]
            yield step, found

    def _segment(
        self, step: NodeStep, commitment: Commitment | None, ran_us: int
    ) -> Segment | None:
        machine, at_us = step.machine, step.from_us
        if commitment is None and self.coverage.promised(machine, at_us):
            terms = self.terms.beyond(machine, at_us)
        else:
            terms = self.terms.of(machine, at_us, commitment)
        if terms is None:
            return None
        covered_by = commitment.commitment_id if commitment else None
        units = self._running(step.node_id, machine, covered_by).take(ran_us, UNIT_US)
        if commitment is None:
            exact = Fraction(ran_us * terms.contracted_micro_usd, UNIT_US)
            return Segment(terms, units, units * terms.contracted_micro_usd, exact)
        exact = ran_us * commitment.effective_micro_usd_per_hour / UNIT_US
        spread = self._effective.setdefault(commitment.commitment_id, Running())
        if units:
            return Segment(terms, units, spread.take(exact), exact)
        # Less than a unit has no row to bear a cost: the next one does.
        spread.add(exact)
        return Segment(terms, 0, 0, exact)

    def _running(self, node_id: str, machine: Machine, covered_by: str | None) -> Running:
        return self._units.setdefault((node_id, machine, covered_by), Running())
