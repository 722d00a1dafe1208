"""Who bears idle time: those that machines of the same kind, at the same price, executed for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from costs import Machine, Sharing
from costs.apportion import apportion
from reports.finance.query import IdleRule
from reports.finance.terms import MachineTerms
from reports.finance.wording import idle_tags
from store import NodeStep, OwnedTime


class Bearer(NamedTuple):
    """A tenant, None for nobody, with a model, None for none, and the tags of what it bears."""

    tenant: str | None
    model: str | None
    tags: str


class Tenant(NamedTuple):
    """The bearers of one tenant: the weight of its part of idle time, and theirs within it."""

    weight: int
    bearers: Sequence[Bearer]
    weights: Sequence[int]


Kind = tuple[Machine, int | None]
"""What shares its idle time: a machine at a price, in micro-USD per hour."""


class Bearers:
    """Who bears the idle time of a machine in a step; to be asked in the order of time.

    Shared is within a charge period of `step_us`, even where the price of another kind of machine
    changes within it. `owned`, by time, is what requests own of each kind.
    """

    def __init__(
        self, idle: IdleRule, owned: Iterable[OwnedTime], terms: MachineTerms, step_us: int
    ) -> None:
        self.rule = idle
        self._terms = terms
        self._step_us = step_us
        self._owned = iter(owned)
        self._shares = idle.sharing in (Sharing.PROPORTIONAL, Sharing.EVEN)
        # The owner, who is None where there is none.
        self._others = [Tenant(1, [Bearer(idle.owner, None, idle_tags(idle.owner))], [1])]
        self._ahead = next(self._owned, None) if self._shares else None
        self._period: int | None = None
        self._of_kind: Mapping[Kind, Sequence[Tenant]] = {}

    def split(self, step: NodeStep, units: int) -> list[tuple[Bearer, int]]:
        """Return who bears how many of the idle `units` of a machine in a step, by tenant.

        The parts sum to `units`; who bears none is left out. Nobody bears them where machines of
        the kind executed nothing in the whole charge period. First every tenant gets its part, then
        that is shared by machine time: it does not depend on how many models or labels there are.
        """
        if not units:
            return []
        period = step.from_us // self._step_us
        if self._shares and period != self._period:
            self._of_kind, self._period = self._read(period), period
        kind = self._kind(step.machine, step.from_us)
        tenants = self._of_kind.get(kind, self._others)
        parts = apportion(units, [tenant.weight for tenant in tenants])
        return [
            (bearer, own)
            for tenant, part in zip(tenants, parts, strict=True)
            for bearer, own in zip(tenant.bearers, apportion(part, tenant.weights), strict=True)
            if own
        ]

    def _read(self, period: int) -> Mapping[Kind, Sequence[Tenant]]:
        owned: dict[Kind, dict[str, Counter[Bearer]]] = {}
        while (each := self._ahead) is not None and each.from_us // self._step_us <= period:
            if each.from_us // self._step_us == period:
                kind = self._kind(each.machine, each.from_us)
                tenants = owned.setdefault(kind, defaultdict(Counter))
                # By tags: without a label called app, others may be the same.
                bearer = Bearer(each.tenant, each.model, idle_tags(each.tenant, each.labels))
                tenants[each.tenant][bearer] += each.machine_ns
            self._ahead = next(self._owned, None)
        evenly = self.rule.sharing is Sharing.EVEN
        return {
            kind: [_tenant(own, evenly=evenly) for _, own in sorted(tenants.items())]
            for kind, tenants in owned.items()
        }

    def _kind(self, machine: Machine, at_us: int) -> Kind:
        terms = self._terms.of(machine, at_us)
        return machine, None if terms is None else terms.contracted_micro_usd


def _tenant(owned: Mapping[Bearer, int], *, evenly: bool) -> Tenant:
    bearers = sorted(owned, key=lambda each: (each.model is not None, each.model or "", each.tags))
    weights = [owned[bearer] for bearer in bearers]
    return Tenant(1 if evenly else sum(weights), bearers, weights)
