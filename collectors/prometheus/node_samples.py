"""From what is known of a node to its samples, which the bill is made of."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict

from collectors.prometheus.config import Source
from collectors.prometheus.naming import Naming, boot_id
from collectors.prometheus.node import Node
from collectors.prometheus.preset import Gauge, Measure, Preset, SampleField
from usage import NodeSample

# As usage.record has it of amounts and of counts.
LARGEST = 2**48
MOST = 1_000_000
# Nobody has more of one deployment; who says so is wrong, and would fill the database.
MOST_REPLICAS = 10_000


def node_samples(
    node: Node, after_us: int, source: Source, preset: Preset, naming: Naming
) -> Iterator[NodeSample]:
    """Yield the samples of `node` that end after `after_us`, of one boot each in order.

    There is at most one for each step of the source: it ends with the last scrape of the step and
    begins where the one before ended, or, after a hole, with the first scrape after it.
    """
    increases: dict[int, Counter[Measure]] = defaultdict(Counter)
    for (at_us, _), sums in node.increases.items():
        increases[at_us].update(sums)
    for from_us, scrapes in _stretches(node, after_us, source.step_s * 1_000_000, preset):
        to_us = scrapes[-1]
        done: Counter[Measure] = Counter()
        for at_us in scrapes:
            done.update(increases[at_us])
        state = _state(node, to_us, done, source, preset)
        for number, name in enumerate(_names(node, to_us, preset, naming)):
            if number:
                # Of replicas that are not there yet, the first of those that are tells.
                state["workers_loading"] = 0
            yield NodeSample(
                node_id=name,
                boot_id=boot_id(source.name, name),
                sampled_at_us=to_us,
                interval_us=to_us - from_us,
                records_dropped=0,
                **asdict(source.machine),
                **state,
            )


def _stretches(
    node: Node, after_us: int, step_us: int, preset: Preset
) -> Iterator[tuple[int, list[int]]]:
    """Yield (beginning, scrapes up to its end) for each stretch of watched time within one step.

    All of it has the same number of replicas.
    """
    begun: tuple[int, list[int]] | None = None
    like: object = None
    for from_us, at_us in node.watched(after_us):
        kind = (at_us - 1) // step_us, _replicas(node, preset, at_us)
        if begun and kind == like and begun[1][-1] == from_us:
            begun[1].append(at_us)
            continue
        if begun:
            yield begun
        begun, like = (from_us, [at_us]), kind
    if begun:
        yield begun


def _names(node: Node, at_us: int, preset: Preset, naming: Naming) -> list[str]:
    if not preset.has_replicas:
        return [naming.node_id(node.parts)]
    replicas = _replicas(node, preset, at_us)
    return [naming.node_id((*node.parts, str(number))) for number in range(replicas)]


def _replicas(node: Node, preset: Preset, at_us: int) -> int:
    replicas = _count(_read(node, preset, "replicas", at_us)) or 0
    return replicas if replicas <= MOST_REPLICAS else 0


def _state(
    node: Node, at_us: int, done: Counter[Measure], source: Source, preset: Preset
) -> dict[str, Any]:
    """Return what was `done` up to `at_us`, and what gauges say of the node then.

    What nobody says is 0, or null where the type has it.
    """

    def read(field: SampleField) -> Decimal | None:
        return _read(node, preset, field, at_us)

    ready = source.workers or _count(read("workers_ready"))
    cpu: Decimal | float | None = read("cpu_utilization")
    if cpu is None and done["cpu_us"]:
        cpu = 1 - done["cpu_idle_us"] / done["cpu_us"]
    power_w = read("gpu_power_w")
    return {
        "busy_us": min(done["worker_us"], LARGEST),
        "workers_ready": 1 if ready is None else ready,
        "workers_loading": _count(read("workers_loading")) or 0,
        "queue_depth": _count(read("queue_depth")) or 0,
        "cpu_utilization": _ratio(cpu) or 0.0,
        "memory_bytes": _amount(read("memory_bytes")) or 0,
        "gpu_utilization": _ratio(read("gpu_utilization")),
        "gpu_memory_bytes": _amount(read("gpu_memory_bytes")),
        "gpu_power_w": None if power_w is None else max(0.0, float(power_w)),
    }


def _read(node: Node, preset: Preset, field: SampleField, at_us: int) -> Decimal | None:
    """Return `field` at `at_us`; None unless every metric that it is made of has a value."""
    whole: Decimal | None = None
    for gauge in preset.gauges:
        if gauge.field == field:
            found = [one.at(at_us) for one in node.gauges.get(gauge, ())]
            values = [value for value in found if value is not None]
            if not values:
                return None
            whole = (whole or Decimal(0)) + _over(gauge, values)
    return whole


def _over(gauge: Gauge, values: Sequence[Decimal]) -> Decimal:
    if gauge.over == "count":
        return Decimal(len(values))
    total = sum(values, Decimal(0)) * gauge.scale
    return total / len(values) if gauge.over == "mean" else total


def _ratio(value: Decimal | float | None) -> float | None:
    return None if value is None else min(max(float(value), 0.0), 1.0)


def _count(value: Decimal | None) -> int | None:
    return None if value is None else min(max(int(value), 0), MOST)


def _amount(value: Decimal | None) -> int | None:
    return None if value is None else min(max(int(value), 0), LARGEST)
