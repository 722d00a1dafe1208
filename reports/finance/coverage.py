"""Which hours of which reserved machines the declared commitments cover, hour by hour."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from costs import Machine
from costs.resources import Commitment
from store import HOUR_US, NodeStep


class Coverage:
    """The room that commitments leave in each hour, taken by machines in the order they come.

    An hour counts up to `end_us`: what lies behind it is not paid for yet.
    """

    def __init__(self, commitments: Iterable[Commitment], end_us: int) -> None:
        self._by_machine: dict[Machine, list[Commitment]] = defaultdict(list)
        for each in sorted(commitments, key=lambda c: (c.from_us, c.commitment_id)):
            self._by_machine[each.machine].append(each)
        self._end_us = end_us
        self._left: dict[tuple[Machine, int], list[int]] = {}
        self._step_us: int | None = None

    def promised(self, machine: Machine, instant_us: int) -> Sequence[Commitment]:
        """Return the commitments for `machine` that are in their term, the earliest first."""
        known = self._by_machine.get(machine, ())
        return [each for each in known if each.from_us <= instant_us < each.to_us]

    def room(self, commitment: Commitment, hour_us: int) -> int:
        """Return the machine-microseconds that `commitment` pays for in an hour."""
        if hour_us >= self._end_us:
            return 0
        begin, end = max(hour_us, commitment.from_us), min(hour_us + HOUR_US, commitment.to_us)
        return commitment.count * max(0, end - begin)

    def cover(self, step: NodeStep) -> Mapping[Commitment | None, int]:
        """Return the uptime of `step` by the commitment that covers it, None for what none does.

        Call it for every step once, in order.
        """
        promised = self._by_machine.get(step.machine)
        if not promised:
            return {None: step.total_us}
        if step.from_us != self._step_us:
            self._left, self._step_us = {}, step.from_us
        found: dict[Commitment | None, int] = {}
        for hour_us, ran_us in step.uptime_us:
            left = self._left.setdefault(
                (step.machine, hour_us), [self.room(each, hour_us) for each in promised]
            )
            for number, each in enumerate(promised):
                taken = min(ran_us, left[number])
                if taken:
                    left[number] -= taken
                    ran_us -= taken
                    found[each] = found.get(each, 0) + taken
            if ran_us:
                found[None] = found.get(None, 0) + ran_us
        return found

    def used(self, machine: Machine, hour_us: int, ran_us: int) -> Mapping[Commitment, int]:
        """Return how much of each commitment `ran_us` in an hour, of all machines, uses."""
        used = {}
        for each in self._by_machine.get(machine, []):
            used[each] = min(ran_us, self.room(each, hour_us))
            ran_us -= used[each]
        return used
