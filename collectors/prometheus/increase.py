"""By how much a counter grew between its raw samples: exact, once each, resets included."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from collectors.prometheus.series import Series, Value
from collectors.prometheus.target import Target, TargetKey, target_key

# Further than any counter grows between two samples; what does is garbage.
LARGEST = 2**48

Group = tuple[TargetKey, frozenset[tuple[str, str]]]
"""A target and labels, without the bound of a bucket."""


def group_of(series: Series) -> Group:
    """Return what counters have in common that are reset at the same time."""
    labels = frozenset(item for item in series.labels.items() if item[0] != "le")
    return target_key(series), labels


def find_resets(counters: Iterable[Series], lookback_us: int) -> dict[Group, set[int]]:
    """Return the instants at which counters began anew, by what they have in common.

    One that is seen to drop tells of the others, which may have overtaken their old value since.
    """
    resets: dict[Group, set[int]] = defaultdict(set)
    for one in counters:
        resets[group_of(one)] |= _drops(one, lookback_us)
    return resets


def increases(
    series: Series, scale: int, target: Target, resets: AbstractSet[int], after_us: int
) -> Iterator[tuple[int, int]]:
    """Yield (instant, increase times `scale`) for the samples after `after_us`, those above 0.

    An increase belongs to the later of two samples that `target` reaches from one to the other;
    across a longer gap nothing is known. At the instants `resets`, those of its own drops among
    them, the counter had begun at 0 again. A series that is new in a target that went on began at 0
    in between; one that is new with its target did so where the process is known to have started
    just before.

    Every sample is scaled and rounded down before the difference is taken, so that increases add up
    to the same whole however the time is cut.
    """
    # The last sample, and the last of them that is a number.
    seen_us, before_us, before = None, 0, None
    for at_us, raw in zip(series.times_us, series.values, strict=True):
        value = None if raw is None or raw < 0 else int(raw * scale)
        if at_us > after_us and value is not None:
            base: int | None = None
            if before is not None and target.reaches(before_us, at_us):
                anew = at_us in resets or target.restarted(before_us, at_us)
                base = 0 if anew else before
            elif seen_us is None or not target.reaches(seen_us, at_us):
                base = 0 if target.shows_births(at_us) else None
            if base is not None and 0 < value - base <= LARGEST:
                yield at_us, value - base
        seen_us = at_us
        if value is not None:
            before_us, before = at_us, value


def _drops(series: Series, lookback_us: int) -> set[int]:
    """Return the instants at which a counter stands lower than shortly before: it began anew."""
    found = set()
    before_us = 0
    before: Value = None
    for at_us, value in zip(series.times_us, series.values, strict=True):
        if value is None or value < 0:
            continue
        if before is not None and value < before and at_us - before_us <= lookback_us:
            found.add(at_us)
        before_us, before = at_us, value
    return found
