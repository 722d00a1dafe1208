"""Stabilisation: advice of the recent past keeps the number of replicas from flapping.

Source: the functions stabilizeRecommendation and stabilizeRecommendationWithBehaviors of the
controller's horizontal.go. The log keeps its slots: a new entry takes the place of one that no
window reaches any more, so its length is bounded by the entries within the longest window.
"""

from dataclasses import dataclass

from simulator.hpa.errors import HpaError

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Advice:
    """What the metrics asked for at an instant, before stabilisation and limits."""

    at_us: int
    replicas: int


@dataclass(frozen=True)
class Windows:
    """How long advice counts: for going up its minimum, for going down its maximum.

    The defaults are Kubernetes'. Raises HpaError when a window is negative.
    """

    scale_up_us: int = 0
    scale_down_us: int = 300 * SECOND_US

    def __post_init__(self) -> None:
        for name, value in (
            ("scale_up_us", self.scale_up_us),
            ("scale_down_us", self.scale_down_us),
        ):
            if value < 0:
                raise HpaError(f"windows.{name}", value, "a whole number, 0 or more")


@dataclass(frozen=True)
class Stabilized:
    """The replicas that the log allows, and the log with the new advice in it."""

    replicas: int
    log: tuple[Advice, ...]


def stabilize(
    log: tuple[Advice, ...], now_us: int, current_replicas: int, desired: int, windows: Windows
) -> Stabilized:
    """Return `current_replicas` moved towards `desired` as far as both windows agree.

    It is raised to the lowest advice younger than the up window, then cut to the highest younger
    than the down window, in both cases with `desired` included.
    """
    up_cutoff_us = now_us - windows.scale_up_us
    down_cutoff_us = now_us - windows.scale_down_us
    lowest = min([desired, *(a.replicas for a in log if a.at_us > up_cutoff_us)])
    highest = max([desired, *(a.replicas for a in log if a.at_us > down_cutoff_us)])
    return Stabilized(
        min(max(current_replicas, lowest), highest),
        _recorded(log, Advice(now_us, desired), min(up_cutoff_us, down_cutoff_us)),
    )


def stabilize_down_only(
    log: tuple[Advice, ...], now_us: int, desired: int, window_us: int
) -> Stabilized:
    """Return the highest advice not older than the window: the rule where no behavior is set."""
    cutoff_us = now_us - window_us
    highest = max([desired, *(a.replicas for a in log if a.at_us >= cutoff_us)])
    return Stabilized(highest, _recorded(log, Advice(now_us, desired), cutoff_us))


def _recorded(log: tuple[Advice, ...], advice: Advice, cutoff_us: int) -> tuple[Advice, ...]:
    slots = list(log)
    for slot in range(len(slots) - 1, -1, -1):
        if slots[slot].at_us < cutoff_us:
            slots[slot] = advice
            return tuple(slots)
    return (*log, advice)


class Stabilizer:
    """The log of one deployment, kept from one decision to the next; not thread-safe.

    As in the controller, the first decision finds the current replicas in the log, so that a fresh
    start does not scale down before the window has passed.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._log: tuple[Advice, ...] = ()

    def replicas(self, now_us: int, current_replicas: int, desired: int) -> int:
        """Log `desired` and return the replicas to have now; `now_us` must not go backwards."""
        if not self._log:
            self._log = (Advice(now_us, current_replicas),)
        stabilized = stabilize(self._log, now_us, current_replicas, desired, self._windows)
        self._log = stabilized.log
        return stabilized.replicas
