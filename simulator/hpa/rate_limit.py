"""How far the number of replicas may move in one decision.

Source: convertDesiredReplicasWithRules, convertDesiredReplicasWithBehaviorRate and storeScaleEvent
of the controller's horizontal.go. Percentages are float64 there and float here.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from simulator.hpa.ratio import MOST_REPLICAS
from simulator.hpa.rules import Behavior, ScalingPolicy, ScalingRules

LimitReason = Literal[
    "DesiredWithinRange", "TooFewReplicas", "TooManyReplicas", "ScaleUpLimit", "ScaleDownLimit"
]


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """One change in one direction; `change` is above 0 in both.

    outdated: no policy reached back to it when the log was last written, so its slot is free.
    """

    at_us: int
    change: int
    outdated: bool = False


Events = tuple[ScaleEvent, ...]


@dataclass(frozen=True)
class Limited:
    """The replicas that the limits allow, and which limit was the closest."""

    replicas: int
    reason: LimitReason


def change_since(events: Events, now_us: int, period_us: int) -> int:
    """Return the replicas changed within the period before `now_us`."""
    return sum(event.change for event in events if event.at_us > now_us - period_us)


def recorded(events: Events, now_us: int, change: int, rules: ScalingRules) -> Events:
    """Return the log with a new event, in the last slot that no policy reaches back to."""
    cutoff_us = now_us - rules.longest_period_us
    slots = [
        replace(event, outdated=True) if event.at_us < cutoff_us else event for event in events
    ]
    new = ScaleEvent(now_us, change)
    for slot in range(len(slots) - 1, -1, -1):
        if slots[slot].outdated:
            slots[slot] = new
            return tuple(slots)
    return (*slots, new)


def up_limit(
    current_replicas: int, ups: Events, downs: Events, rules: ScalingRules, now_us: int
) -> int:
    """Return the most replicas that the policies allow now; it may lie below the current ones."""
    if rules.select_policy == "Disabled":
        return current_replicas
    proposals = []
    for policy in rules.policies:
        start = _period_start(current_replicas, ups, downs, policy, now_us)
        if policy.type == "Pods":
            proposals.append(start + policy.value)
        else:
            # Rounded up, or a percentage would never let a small deployment grow.
            proposals.append(math.ceil(start * (1 + policy.value / 100)))
    if rules.select_policy == "Min":
        return min(proposals, default=MOST_REPLICAS)
    return max(proposals, default=current_replicas)


def down_limit(
    current_replicas: int, ups: Events, downs: Events, rules: ScalingRules, now_us: int
) -> int:
    """Return the fewest replicas that the policies allow now; it may exceed the current ones."""
    if rules.select_policy == "Disabled":
        return current_replicas
    proposals = []
    for policy in rules.policies:
        start = _period_start(current_replicas, ups, downs, policy, now_us)
        if policy.type == "Pods":
            proposals.append(start - policy.value)
        else:
            proposals.append(int(start * (1 - policy.value / 100)))
    if rules.select_policy == "Min":
        return max(proposals, default=0)
    return min(proposals, default=current_replicas)


def limited_by_policies(
    current_replicas: int,
    desired: int,
    *,
    min_replicas: int,
    max_replicas: int,
    behavior: Behavior,
    ups: Events,
    downs: Events,
    now_us: int,
) -> Limited:
    """Return `desired` within the bound of its direction and what the policies allow now."""
    if desired > current_replicas:
        allowed = max(
            up_limit(current_replicas, ups, downs, behavior.scale_up, now_us), current_replicas
        )
        if desired > min(allowed, max_replicas):
            if max_replicas > allowed:
                return Limited(allowed, "ScaleUpLimit")
            return Limited(max_replicas, "TooManyReplicas")
    elif desired < current_replicas:
        allowed = min(
            down_limit(current_replicas, ups, downs, behavior.scale_down, now_us), current_replicas
        )
        if desired < max(allowed, min_replicas):
            if min_replicas < allowed:
                return Limited(allowed, "ScaleDownLimit")
            return Limited(min_replicas, "TooFewReplicas")
    return Limited(desired, "DesiredWithinRange")


def limited_without_behavior(
    current_replicas: int, desired: int, *, min_replicas: int, max_replicas: int
) -> Limited:
    """Return `desired` within the bounds and at most doubled, where 4 are always allowed."""
    if desired < min_replicas:
        return Limited(min_replicas, "TooFewReplicas")
    allowed = max(2 * current_replicas, 4)
    if desired > min(allowed, max_replicas):
        if max_replicas > allowed:
            return Limited(allowed, "ScaleUpLimit")
        return Limited(max_replicas, "TooManyReplicas")
    return Limited(desired, "DesiredWithinRange")


def _period_start(
    current_replicas: int, ups: Events, downs: Events, policy: ScalingPolicy, now_us: int
) -> int:
    added = change_since(ups, now_us, policy.period_us)
    removed = change_since(downs, now_us, policy.period_us)
    return current_replicas - added + removed
