"""The behavior of an autoscaler: stabilisation windows and how fast its size may change."""

import math
from dataclasses import dataclass
from typing import Literal

from simulator.hpa.errors import HpaError
from simulator.hpa.ratio import Tolerance
from simulator.hpa.stabilization import SECOND_US

PolicyType = Literal["Pods", "Percent"]
SelectPolicy = Literal["Max", "Min", "Disabled"]


@dataclass(frozen=True)
class ScalingPolicy:
    """At most `value` replicas, or percent of the replicas at the period's start, per period.

    Raises HpaError when the value is negative or the period is not above 0.
    """

    type: PolicyType
    value: int
    period_us: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise HpaError("policy.value", self.value, "a whole number, 0 or more")
        if self.period_us <= 0:
            raise HpaError("policy.period_us", self.period_us, "a whole number above 0")


@dataclass(frozen=True)
class ScalingRules:
    """The rules of one direction.

    policies: the largest change that one of them allows counts with `Max`, the smallest with
    `Min`; `Disabled` forbids the direction. Without any policy `Max` allows no change and `Min`
    every one, as in the controller.
    stabilization_window_us: None for the controller's own window of the direction.
    tolerance: None for the controller's own.
    Raises HpaError when the window or the tolerance is negative, or the latter not finite.
    """

    policies: tuple[ScalingPolicy, ...]
    select_policy: SelectPolicy = "Max"
    stabilization_window_us: int | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        window_us = self.stabilization_window_us
        if window_us is not None and window_us < 0:
            raise HpaError("stabilization_window_us", window_us, "a whole number, 0 or more")
        if self.tolerance is not None and not 0 <= self.tolerance < math.inf:
            raise HpaError("tolerance", self.tolerance, "a finite number, 0 or more")

    @property
    def longest_period_us(self) -> int:
        """The longest period of a policy; 0 without any."""
        return max((policy.period_us for policy in self.policies), default=0)


# What the API server fills in where a side of the behavior is left out.
DEFAULT_SCALE_UP = ScalingRules(
    (ScalingPolicy("Pods", 4, 15 * SECOND_US), ScalingPolicy("Percent", 100, 15 * SECOND_US)),
    stabilization_window_us=0,
)
DEFAULT_SCALE_DOWN = ScalingRules((ScalingPolicy("Percent", 100, 15 * SECOND_US),))


@dataclass(frozen=True)
class Behavior:
    """Both directions' rules."""

    scale_up: ScalingRules = DEFAULT_SCALE_UP
    scale_down: ScalingRules = DEFAULT_SCALE_DOWN

    def tolerance(self, default: Tolerance) -> Tolerance:
        """Return `default` with the sides replaced that the rules set themselves."""
        down, up = self.scale_down.tolerance, self.scale_up.tolerance
        return Tolerance(
            scale_down=default.scale_down if down is None else down,
            scale_up=default.scale_up if up is None else up,
            before_v1_33=default.before_v1_33,
        )
