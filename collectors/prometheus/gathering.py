"""From series to nodes: by the labels of a series and what a preset says of its metric."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from collectors.prometheus.increase import Group, find_resets, group_of, increases
from collectors.prometheus.latency_spread import spans
from collectors.prometheus.naming import Naming, Parts
from collectors.prometheus.node import GaugeSeries, Node
from collectors.prometheus.preset import Counter, Gauge, Histogram, Labels, Preset
from collectors.prometheus.series import Series
from collectors.prometheus.target import Target, find_targets, target_key

# Nodes of this product have it, which leave usage records.
OWN = "inference_node_build_info"


class Gathering:
    """Gathers into `nodes`, by what names them, what `series` tell of the time after `after_us`.

    Samples of the `lookback_us` before it are only what increases begin at. `own` are the instances
    that turned out to be nodes of this product: with another preset than theirs nothing is taken
    from them.
    """

    def __init__(
        self,
        series: Sequence[Series],
        after_us: int,
        lookback_us: int,
        preset: Preset,
        naming: Naming,
    ) -> None:
        self.nodes: dict[Parts, Node] = {}
        self.own: set[str] = set()
        self._after_us = after_us
        self._naming = naming
        self._meanings = preset.by_metric()
        told = [one for one in series if one.times_us]
        if not preset.own:
            own = {target_key(one) for one in told if one.name == OWN}
            self.own = {instance for _, instance in own}
            told = [one for one in told if target_key(one) not in own]
        self._targets = find_targets(told, self._marks, lookback_us)
        self._resets = find_resets(filter(self._counts, told), lookback_us)
        self._take_all(told)
        for node in self.nodes.values():
            node.settle_worker_time()

    def _marks(self, one: Series) -> bool:
        """Tell whether to have this series makes somebody a node."""
        meanings = self._meanings.get(one.name, ())
        return any(not isinstance(meaning, Gauge) or meaning.marks for meaning in meanings)

    def _counts(self, one: Series) -> bool:
        meanings = self._meanings.get(one.name, ())
        return any(isinstance(meaning, Counter | Histogram) for meaning in meanings)

    def _take_all(self, told: Sequence[Series]) -> None:
        ladders: dict[tuple[str, Group], _Ladder] = {}
        for one in told:
            target = self._targets.get(target_key(one))
            parts = self._naming.parts(one.labels)
            if target is None or parts is None:
                continue
            node = self.nodes.setdefault(parts, Node(parts))
            if self._marks(one):
                node.seen_us.setdefault(target, set()).update(one.times_us)
            for meaning in self._meanings.get(one.name, ()):
                if isinstance(meaning, Histogram):
                    new = _Ladder(meaning, target, node)
                    ladders.setdefault((one.name, group_of(one)), new).buckets.append(one)
                elif isinstance(meaning, Gauge):
                    self._take_gauge(one, meaning, target, node)
                elif meaning.applies(one.labels):
                    key = self._naming.key(one.labels, meaning.outcome)
                    for at_us, amount in self._increases(one, meaning.scale, target):
                        node.add(at_us, key, meaning.measure, amount)
        for ladder in ladders.values():
            self._take_ladder(ladder)

    def _take_gauge(self, one: Series, gauge: Gauge, target: Target, node: Node) -> None:
        values = dict(zip(one.times_us, one.values, strict=True))
        node.gauges.setdefault(gauge, []).append(GaugeSeries(values, target))
        if gauge.field != "running":
            return
        key = self._naming.key(one.labels, None)
        for at_us, value in values.items():
            # One that is seen executing is taken to have done so since it was seen before.
            from_us = target.watched_from(at_us)
            if value and value > 0 and at_us > self._after_us and from_us is not None:
                node.add(at_us, key, "worker_us", at_us - from_us)

    def _take_ladder(self, ladder: "_Ladder") -> None:
        bounds = [(_bound(one.labels, ladder.histogram.scale), one) for one in ladder.buckets]
        steps = sorted(
            ((bound, one) for bound, one in bounds if bound is not None), key=lambda step: step[0]
        )
        if not steps or steps[-1][0] != math.inf:
            return
        key = self._naming.key(steps[0][1].labels, ladder.histogram.outcome)
        counts = [dict.fromkeys(one.times_us, 0) for _, one in steps]
        for (_, one), count in zip(steps, counts, strict=True):
            count.update(self._increases(one, 1, ladder.target))
        for at_us, everything in counts[-1].items():
            if not everything:
                continue
            shown = [place for place, count in enumerate(counts) if at_us in count]
            ways = spans(tuple(steps[place][0] for place in shown))
            below = 0
            for place, span in zip(shown, ways, strict=True):
                # Buckets are cumulative; one that is not was read while it was being written.
                up_to = min(max(counts[place][at_us], below), everything)
                if up_to > below:
                    ladder.node.add_latency(at_us, key, span, up_to - below)
                below = up_to

    def _increases(self, one: Series, scale: int, target: Target) -> Iterator[tuple[int, int]]:
        return increases(one, scale, target, self._resets[group_of(one)], self._after_us)


@dataclass
class _Ladder:
    """The buckets of one histogram, which by their labels are of one target and one node."""

    histogram: Histogram
    target: Target
    node: Node
    buckets: list[Series] = field(default_factory=list)


def _bound(labels: Labels, scale: int) -> float | None:
    """Return the upper bound of a bucket in microseconds, None where there is none."""
    try:
        bound = float(labels.get("le", ""))
    except ValueError:
        return None
    return None if math.isnan(bound) else bound * scale
