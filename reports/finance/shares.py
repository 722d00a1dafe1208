"""Whose a machine's hours are: shares of the units of a step, which sum to them exactly."""

from costs import Sharing
from costs.apportion import apportion
from store import NodeStep, Use

NS_PER_US = 1_000

Share = tuple[Use | None, int]
"""Who, None for nobody, and how many units."""


def overfull(step: NodeStep) -> bool:
    """Return whether requests own more than the time that the machine ran in the step.

    What arrives in one step and executes in the next counts in the first.
    """
    return sum(use.machine_ns for use in step.uses) > step.total_us * NS_PER_US


def share_units(step: NodeStep, units: int, sharing: Sharing) -> list[Share]:
    """Return what each kind of request, and nobody, has of `units` of the machine's time.

    Idle time stays apart under SEPARATE and OWNER, and under PROPORTIONAL where no request has
    any time to go by. EVEN gives every tenant the same part of it, and their requests theirs by
    what they used.
    """
    uses = step.uses
    owned = [use.machine_ns for use in uses]
    idle = max(0, step.total_us * NS_PER_US - sum(owned))
    if sharing is Sharing.PROPORTIONAL and any(owned):
        return list(zip(uses, apportion(units, owned), strict=True))
    if sharing is Sharing.EVEN and uses:
        return _evenly(uses, units, idle)
    *parts, apart = apportion(units, [*owned, idle])
    shares: list[Share] = list(zip(uses, parts, strict=True))
    return [*shares, (None, apart)] if apart else shares


def _evenly(uses: list[Use], units: int, idle: int) -> list[Share]:
    tenants: dict[str, list[Use]] = {}
    for use in uses:
        tenants.setdefault(use.tenant, []).append(use)
    owned = [sum(use.machine_ns for use in own) for own in tenants.values()]
    parts = apportion(units, [len(tenants) * own + idle for own in owned])
    shares: list[Share] = []
    for own, part in zip(tenants.values(), parts, strict=True):
        weights = [use.machine_ns for use in own]
        by_use = apportion(part, weights if any(weights) else [1] * len(own))
        shares += zip(own, by_use, strict=True)
    return shares
