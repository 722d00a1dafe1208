"""Whose a machine's hours are: shares of the units of a step, which sum to them exactly."""

from costs.apportion import apportion
from store import NodeStep

NS_PER_US = 1_000


def overfull(step: NodeStep) -> bool:
    """Return whether requests own more than the time that the machine ran in the step.

    What arrives in one step and executes in the next counts in the first.
    """
    return sum(use.machine_ns for use in step.uses) > step.total_us * NS_PER_US


def share_units(step: NodeStep, units: int) -> tuple[list[int], int]:
    """Return what each of the step's uses has of `units` of the machine's time, and what is idle.

    Where requests own more than all of it, they share it in proportion, and nothing is idle.
    """
    owned = [use.machine_ns for use in step.uses]
    idle = max(0, step.total_us * NS_PER_US - sum(owned))
    *used, apart = apportion(units, [*owned, idle])
    return used, apart
