"""What Prometheus scrapes under one address: when it did, and what began anew in between."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from collectors.prometheus.series import Series

START = "process_start_time_seconds"
# A process tells the instant of its start to the second or better, and always the same.
START_TOLERANCE_US = 1_000_000

TargetKey = tuple[str, str]
"""Job and instance."""


class Target:
    """The instants of one target, ascending, and the start of its process where it tells it.

    `continued` are the instants at which it still had a series that it had shortly before. Two
    instants further apart than `lookback_us` have nothing to do with each other: in a gap as long
    nothing is known.
    """

    def __init__(
        self,
        instants_us: Sequence[int],
        started_us: Mapping[int, int],
        continued_us: AbstractSet[int],
        lookback_us: int,
    ) -> None:
        self._instants_us = instants_us
        self._started_us = started_us
        self._continued_us = continued_us
        self._lookback_us = lookback_us

    def reaches(self, from_us: int, to_us: int) -> bool:
        """Tell whether what is known at `from_us` has to do with `to_us`, which is later."""
        return to_us - from_us <= self._lookback_us

    def latest(self, at_us: int) -> int | None:
        """Return the last instant at or before `at_us`, None where it is too long ago."""
        return self._near(bisect_right(self._instants_us, at_us) - 1, at_us)

    def before(self, at_us: int) -> int | None:
        """Return the last instant before `at_us`, None where it is too long ago."""
        return self._near(bisect_left(self._instants_us, at_us) - 1, at_us)

    def began(self, at_us: int) -> int | None:
        """Return when a process started that was scraped at `at_us` for the first time.

        None where that is not known, or so long ago that it was scraped before, in all likelihood.
        """
        started_us = self._started_us.get(at_us)
        if started_us is None or self.before(at_us) is not None:
            return None
        return started_us if at_us - self._lookback_us < started_us < at_us else None

    def watched_from(self, at_us: int) -> int | None:
        """Return the instant from which on what is seen at `at_us` was watched: the scrape before,
        or the start of the process; None where there is neither."""
        before_us = self.before(at_us)
        return self.began(at_us) if before_us is None else before_us

    def shows_births(self, at_us: int) -> bool:
        """Tell whether a series that is new at `at_us` was at 0 when it was not yet watched.

        Not so where all series are new at once: they may be old ones that got another label.
        """
        return at_us in self._continued_us or self.began(at_us) is not None

    def restarted(self, from_us: int, to_us: int) -> bool:
        """Tell whether another process answered at `to_us` than at `from_us`, as far as known."""
        first, last = self._started_us.get(from_us), self._started_us.get(to_us)
        return first is not None and last is not None and last - first > START_TOLERANCE_US

    def _near(self, place: int, at_us: int) -> int | None:
        if place < 0 or not self.reaches(self._instants_us[place], at_us):
            return None
        return self._instants_us[place]


def target_key(series: Series) -> TargetKey:
    """Return what tells the target of `series` from others."""
    return series.labels.get("job", ""), series.labels.get("instance", "")


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
            instants[key].update(one.times_us)
            continued[key].update(
                at_us
                for before_us, at_us in pairwise(one.times_us)
                if at_us - before_us <= lookback_us
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
