"""What the series of one node add up to, before it becomes facts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from collectors.prometheus.apportion import apportion
from collectors.prometheus.latency_spread import Span
from collectors.prometheus.naming import Key, Parts
from collectors.prometheus.preset import CACHE_OUTCOMES, PARTS, SUCCEEDED, Gauge, Measure
from collectors.prometheus.series import Value
from collectors.prometheus.target import Target
from store import MINUTE_US

HITS = tuple(measure for measure, outcome in CACHE_OUTCOMES.items() if outcome != "miss")


def minute_of(at_us: int) -> int:
    """Return the beginning of the minute that `at_us` ends a part of: what falls on the full minute
    belongs to the minute before."""
    return (at_us - 1) // MINUTE_US * MINUTE_US


@dataclass(frozen=True)
class GaugeSeries:
    """One series of a gauge, by instant, and the target that it is of."""

    values: Mapping[int, Value]
    target: Target

    def at(self, at_us: int) -> Value:
        """Return its value at `at_us`, None where there is none.

        What a target does not show any more is gone, however long ago it was seen.
        """
        latest_us = self.target.latest(at_us)
        return None if latest_us is None else self.values.get(latest_us)


@dataclass
class Node:
    """A machine, or with replicas a number of them.

    `seen_us` are the instants at which it was seen in each of its targets. Increases are by
    (instant, key), requests of histograms by (minute, key).
    """

    parts: Parts
    seen_us: dict[Target, set[int]] = field(default_factory=dict)
    gauges: dict[Gauge, list[GaugeSeries]] = field(default_factory=dict)
    increases: dict[tuple[int, Key], Counter[Measure]] = field(default_factory=dict)
    latencies: dict[tuple[int, Key], Counter[Span]] = field(default_factory=dict)

    def add(self, at_us: int, key: Key, measure: Measure, amount: int) -> None:
        """Add an increase that ended at `at_us`."""
        self.increases.setdefault((at_us, key), Counter())[measure] += amount

    def add_latency(self, at_us: int, key: Key, span: Span, requests: int) -> None:
        """Add requests that took as long as `span` says, counted at `at_us`."""
        self.latencies.setdefault((minute_of(at_us), key), Counter())[span] += requests

    def watched(self, after_us: int) -> Iterator[tuple[int, int]]:
        """Yield (from, to) for every stretch that ends after `after_us` and of which this node is
        known: ascending, without overlap, with holes where it was not seen."""
        last_us: dict[Target, int] = {}
        seen: dict[int, list[Target]] = {}
        for target, instants in self.seen_us.items():
            for at_us in instants:
                seen.setdefault(at_us, []).append(target)
        for at_us in sorted(seen):
            last_us.update(dict.fromkeys(seen[at_us], at_us))
            if at_us <= after_us:
                continue
            # A target in which it was not seen of late has nothing to say.
            near = [target for target, last in last_us.items() if target.reaches(last, at_us)]
            known = [target.before(at_us) for target in near]
            if not any(known):
                known = [target.began(at_us) for target in near]
            from_us = max(instant or 0 for instant in known)
            if from_us:
                yield from_us, at_us

    def settle_worker_time(self) -> None:
        """Work out `worker_us` where the exporter does not tell it by model.

        An execution of a batch counts with its whole duration for each of its requests; so many of
        those durations as there were executions, on average, are time of a worker. What the node
        tells of its workers in all is exact, and is shared out in proportion.
        """
        busy_us: Counter[int] = Counter()
        shares: dict[int, dict[Key, int]] = {}
        for (at_us, key), sums in self.increases.items():
            if sums["batch_us"]:
                sums["worker_us"] += _of_batches(sums)
            if sums["worker_us"]:
                shares.setdefault(at_us, {})[key] = sums["worker_us"]
            busy_us[at_us] += sums["busy_us"]
        for at_us, whole in busy_us.items():
            if whole:
                weights = shares.get(at_us) or {Key(None, None, *SUCCEEDED): 1}
                parts = apportion(whole, weights)
                for key in weights:
                    sums = self.increases.setdefault((at_us, key), Counter())
                    sums["worker_us"] = parts.get(key, 0)


def _of_batches(sums: Mapping[Measure, int]) -> int:
    executed = sums["executed"] or sums["requests"] - sum(sums[hit] for hit in HITS)
    # At least one: a scrape may come between the counting of the requests and that of their batch.
    executions = max(sums["executions"], PARTS)
    worker_us = sums["batch_us"] * executions // (max(executed, 1) * PARTS)
    return min(worker_us, sums["batch_us"])
