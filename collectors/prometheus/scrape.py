"""What series of a window have in common: the targets they are of, and resets of their counters."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from collectors.prometheus.increase import drops
from collectors.prometheus.series import Series
from collectors.prometheus.target import Target

START = "process_start_time_seconds"
OWN = "inference_node_build_info"

TargetKey = tuple[str, str]
"""Job and instance."""

Group = tuple[TargetKey, frozenset[tuple[str, str]]]
"""A target and labels, without the bound of a bucket."""


@dataclass(frozen=True)
class Window:
    """The time after `after_us` up to `until_us`. Samples of the `lookback_us` before it are only
    what increases begin at."""

    after_us: int
    until_us: int
    lookback_us: int

    def cut(self, series: Series) -> Series:
        """Return `series` without the samples outside."""
        from_us = self.after_us - self.lookback_us
        kept = [
            (at_us, value)
            for at_us, value in zip(series.times_us, series.values, strict=True)
            if from_us < at_us <= self.until_us
        ]
        times_us, values = [at_us for at_us, _ in kept], [value for _, value in kept]
        return Series(series.name, series.labels, times_us, values)


def target_key(series: Series) -> TargetKey:
    """Return what tells the target of `series` from others."""
    return series.labels.get("job", ""), series.labels.get("instance", "")


def group_of(series: Series) -> Group:
    """Return what counters have in common that are reset at the same time."""
    labels = frozenset(item for item in series.labels.items() if item[0] != "le")
    return target_key(series), labels


def find_targets(
    told: Iterable[Series], marks: Callable[[Series], bool], lookback_us: int
) -> dict[TargetKey, Target]:
    """Return the targets of those of `told` that mark a node, with the start of their processes."""
    instants: dict[TargetKey, set[int]] = defaultdict(set)
    continued: dict[TargetKey, set[int]] = defaultdict(set)
    started: dict[TargetKey, dict[int, int]] = defaultdict(dict)
    for one in told:
        key = target_key(one)
        if marks(one):
            times = one.times_us
            instants[key].update(times)
            continued[key].update(
                at_us for before_us, at_us in pairwise(times) if at_us - before_us <= lookback_us
            )
        elif one.name == START:
            started[key] = {
                at_us: int(value * 1_000_000)
                for at_us, value in zip(one.times_us, one.values, strict=True)
                if value is not None
            }
    return {
        key: Target(sorted(found), started[key], continued[key], lookback_us)
        for key, found in instants.items()
    }


def find_resets(counters: Iterable[Series], lookback_us: int) -> dict[Group, set[int]]:
    """Return the instants at which counters began anew, by what they have in common.

    One that is seen to drop tells of the others, which may have overtaken their old value since.
    """
    resets: dict[Group, set[int]] = defaultdict(set)
    for one in counters:
        resets[group_of(one)] |= drops(one, lookback_us)
    return resets
