"""From series to nodes: by the labels of a series and what a preset says of its metric."""

import math
from collections.abc import Sequence

from collectors.prometheus.increase import increases
from collectors.prometheus.latency_spread import spans
from collectors.prometheus.naming import Naming, Parts
from collectors.prometheus.node import GaugeSeries, Node
from collectors.prometheus.preset import Counter, Gauge, Histogram, Labels, Preset
from collectors.prometheus.presets import by_metric
from collectors.prometheus.scrape import (
    OWN,
    Group,
    Window,
    find_resets,
    find_targets,
    group_of,
    target_key,
)
from collectors.prometheus.series import Series
from collectors.prometheus.target import Target


class Gathering:
    """Gathers `series` within `window` into `nodes`, by what names them.

    `own` are the instances that turned out to be nodes of this product, which leave usage records:
    with another preset than theirs nothing is taken from them.
    """

    def __init__(
        self, series: Sequence[Series], window: Window, preset: Preset, naming: Naming
    ) -> None:
        self.nodes: dict[Parts, Node] = {}
        self.own: set[str] = set()
        self._window = window
        self._naming = naming
        self._meanings = by_metric(preset)
        told = [cut for cut in map(window.cut, series) if cut.times_us]
        if not preset.own:
            own = {target_key(one) for one in told if one.name == OWN}
            self.own = {instance for _, instance in own}
            told = [one for one in told if target_key(one) not in own]
        self._targets = find_targets(told, self._marks, window.lookback_us)
        self._resets = find_resets(filter(self._counts, told), window.lookback_us)
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
        ladders: dict[tuple[str, Group], tuple[Histogram, list[Series]]] = {}
        for one in told:
            target = self._targets.get(target_key(one))
            node = None if target is None else self._node(one, target)
            if target is None or node is None:
                continue
            for meaning in self._meanings.get(one.name, ()):
                if isinstance(meaning, Histogram):
                    ladders.setdefault((one.name, group_of(one)), (meaning, []))[1].append(one)
                elif isinstance(meaning, Gauge):
                    self._take_gauge(one, meaning, target, node)
                elif meaning.applies(one.labels):
                    key = self._naming.key(one.labels, meaning.outcome)
                    for at_us, amount in self._increases(one, meaning.scale, target):
                        node.add(at_us, key, meaning.measure, amount)
        for histogram, ladder in ladders.values():
            target = self._targets[target_key(ladder[0])]
            node = self._node(ladder[0], target)
            assert node is not None
            self._take_histogram(histogram, ladder, target, node)

    def _node(self, one: Series, target: Target) -> Node | None:
        parts = self._naming.parts(one.labels)
        if parts is None:
            return None
        node = self.nodes.setdefault(parts, Node(parts))
        if self._marks(one):
            node.seen_us.setdefault(target, set()).update(one.times_us)
        return node

    def _take_gauge(self, one: Series, gauge: Gauge, target: Target, node: Node) -> None:
        values = dict(zip(one.times_us, one.values, strict=True))
        node.gauges.setdefault(gauge, []).append(GaugeSeries(values, target))
        if gauge.field != "running":
            return
        key = self._naming.key(one.labels, None)
        for at_us, value in values.items():
            # One that is seen executing is taken to have done so since it was seen before.
            from_us = target.watched_from(at_us)
            if value and value > 0 and at_us > self._window.after_us and from_us is not None:
                node.add(at_us, key, "worker_us", at_us - from_us)

    def _take_histogram(
        self, histogram: Histogram, ladder: Sequence[Series], target: Target, node: Node
    ) -> None:
        bounds = [(_bound(one.labels, histogram.scale), one) for one in ladder]
        steps = sorted(
            ((bound, one) for bound, one in bounds if bound is not None), key=lambda step: step[0]
        )
        if not steps or steps[-1][0] != math.inf:
            return
        key = self._naming.key(ladder[0].labels, histogram.outcome)
        counts = [dict.fromkeys(one.times_us, 0) for _, one in steps]
        for (_, one), count in zip(steps, counts, strict=True):
            count.update(self._increases(one, 1, target))
        for at_us, everything in counts[-1].items():
            if not everything:
                continue
            shown = [place for place, count in enumerate(counts) if at_us in count]
            below = 0
            for place, span in zip(
                shown, spans(tuple(steps[place][0] for place in shown)), strict=True
            ):
                # Buckets are cumulative; one that is not was read while it was being written.
                up_to = min(max(counts[place][at_us], below), everything)
                if up_to > below:
                    node.add_latency(at_us, key, span, up_to - below)
                below = up_to

    def _increases(self, one: Series, scale: int, target: Target) -> list[tuple[int, int]]:
        resets = self._resets[group_of(one)]
        window = self._window
        return list(increases(one, scale, target, resets, window.after_us, window.lookback_us))


def _bound(labels: Labels, scale: int) -> float | None:
    """Return the upper bound of a bucket in microseconds, None where there is none."""
    try:
        bound = float(labels.get("le", ""))
    except ValueError:
        return None
    return None if math.isnan(bound) else bound * scale
