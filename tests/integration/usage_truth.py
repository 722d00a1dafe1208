"""A small fleet's facts, and what is true of them, worked out in plain Python from the facts alone.

Three nodes on two kinds of machine serve two models to several tenants, with failures, cache hits
and executions on behalf of others; a fourth node left records and no sample, so nothing is known of
its machine.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any

from msgspec.structs import replace

from costs import Machine
from store import Batch, By, ByLabel, Filter, Grouping, Period
from tests.fixtures_usage import MINUTE_US, MONDAY_US, node_sample, traffic
from usage import NodeSample, UsageRecord
from usage.record import ON_BEHALF

MINUTES = 5
PERIOD = Period(MONDAY_US, MONDAY_US + MINUTES * MINUTE_US)
HOSTILE = "'; DROP TABLE boot; --"

BOOTS = {f"node-{n}": f"0198c0de-0000-7000-8000-00000000000{n}" for n in range(1, 5)}
# A run of a node is simulated when any record of it is.
SIMULATED = "node-2"
CHEAP = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
DEAR = Machine("gcp", "europe-west4", "g2-standard-4", "spot")
MACHINES: dict[str, Machine | None] = {
    "node-1": CHEAP,
    "node-2": CHEAP,
    "node-3": DEAR,
    "node-4": None,
}
# Each price doubles here.
CHANGE_US = MONDAY_US + 2 * MINUTE_US
CHANGES = [0, CHANGE_US, PERIOD.to_us + MINUTE_US]
RATES = {CHEAP: 178_500, DEAR: 706_832}

LABELS: tuple[dict[str, str], ...] = (
    {"team": "checkout", "project": "p1"},
    {"team": "search"},
    {"project": "p2"},
    {},
)


def rate(machine: Machine, instant_us: int) -> int:
    """Return the price in micro-USD per hour."""
    return RATES[machine] * (2 if instant_us >= CHANGE_US else 1)


def fleet_facts() -> Batch:
    """Return all facts; the same every time."""
    rng = random.Random(11)
    whole = Batch()
    for number, (node_id, boot_id) in enumerate(BOOTS.items(), 1):
        facts = traffic(PERIOD.from_us, PERIOD.to_us, per_second=8, seed=number)
        whole.records += [
            _varied(rng, replace(r, node_id=node_id, boot_id=boot_id)) for r in facts.records
        ]
        machine = MACHINES[node_id]
        if machine is None:
            continue
        whole.samples += [_sample(rng, sample, node_id, machine) for sample in facts.samples]
    return whole


def _varied(rng: random.Random, record: UsageRecord) -> UsageRecord:
    changed: dict[str, Any] = {
        "model": rng.choice(("digits", "digits", "ranker", HOSTILE)),
        "model_version": rng.choice(("1", "2")),
        "variant": rng.choice(("fp32", "int8")),
        "labels": rng.choice(LABELS),
        "origin": rng.choice(("live", "replay")),
        "client_region": rng.choice((None, "eu")),
        "request_bytes": rng.randrange(1_000),
        "response_bytes": rng.randrange(1_000),
    }
    if record.node_id == SIMULATED and changed["origin"] == "replay":
        changed["origin"] = "simulated"
    if changed["model"] == "ranker":
        changed["input_tokens"] = changed["request_bytes"]
        changed["output_tokens"] = changed["response_bytes"] // 2
    if record.batch_size:
        # Requests of several items, in a batch that is larger by as much.
        changed["items"] = rng.choice((1, 1, 2, 3))
        changed["batch_size"] = record.batch_size * 3
        changed["pool"] = rng.choice(("cpu", "gpu"))
        fate = rng.random()
        if fate < 0.05:
            changed.update(status=500, error="execution_failed")
        elif fate < 0.15:
            changed.update(
                route=rng.choice(sorted(ON_BEHALF)),
                parent_id="0198c0de-0000-7000-8000-0000000000ff",
            )
        elif fate < 0.25:
            changed["route"] = rng.choice(("split", "cascade"))
    elif record.status >= 400 and rng.random() < 0.5:
        changed.update(model=None, model_version=None, variant=None, input_digest=None, status=404)
    elif record.cache == "memory":
        changed["cache"] = rng.choice(("memory", "redis", "coalesced"))
    return replace(record, **changed)


def _sample(rng: random.Random, base: NodeSample, node_id: str, machine: Machine) -> NodeSample:
    gpu = node_id == "node-3"
    return node_sample(
        node_id=node_id,
        boot_id=BOOTS[node_id],
        sampled_at_us=base.sampled_at_us,
        cloud=machine.cloud,
        region=machine.region,
        instance_type=machine.instance_type,
        purchase_option=machine.purchase_option,
        # A share that differs from minute to minute, and seconds in which no worker is ready.
        workers_ready=rng.choice((0, 2, 3)) if gpu else 2,
        workers_loading=rng.choice((0, 1)),
        busy_us=base.busy_us,
        cpu_utilization=rng.random(),
        memory_bytes=rng.randrange(2**30),
        gpu_utilization=rng.random() if gpu else None,
        gpu_memory_bytes=rng.randrange(2**34) if gpu else None,
        gpu_power_w=rng.uniform(20, 70) if gpu else None,
        queue_depth=rng.randrange(9),
        records_dropped=(base.sampled_at_us - MONDAY_US) // 40_000_000 if gpu else 0,
    )


def machine_values(node_id: str) -> dict[str, str | None]:
    """Return what is known of the machine of a node, by field."""
    machine = MACHINES[node_id]
    names = ("cloud", "region", "instance_type", "purchase_option")
    return {name: getattr(machine, name, None) for name in names}


def _where_from(node_id: str) -> dict[str, str | None]:
    """Return what a filter may say of a node's machine, by field."""
    simulated = "yes" if node_id == SIMULATED else "no"
    return {**machine_values(node_id), "simulated": simulated}


def accepts(where: Filter, record: UsageRecord) -> bool:
    """Tell whether `where` accepts `record`."""
    known = _where_from(record.node_id)
    for field in fields(where):
        accepted = getattr(where, field.name)
        if field.name == "label":
            for name in {name for name, _ in accepted}:
                values = [value for other, value in accepted if other == name]
                if record.labels.get(name) not in values:
                    return False
        elif accepted:
            value = known.get(field.name, getattr(record, field.name, None))
            if value not in accepted:
                return False
    return True


def accepts_machine(where: Filter, node_id: str) -> bool:
    """Tell whether what `where` says of machines accepts those of a node."""
    known = {**_where_from(node_id), "node_id": node_id}
    return all(known[name] in getattr(where, name) for name in known if getattr(where, name))


def key_of(record: UsageRecord, by: Sequence[Grouping]) -> tuple[str | None, ...]:
    """Return the values of `record` for the groupings `by`."""
    known = machine_values(record.node_id)
    key = []
    for grouping in by:
        if isinstance(grouping, ByLabel):
            key.append(record.labels.get(grouping.name))
        else:
            name = By(grouping).value
            value = known[name] if name in known else getattr(record, name)
            key.append(None if value is None else str(value))
    return tuple(key)


def is_request(record: UsageRecord) -> bool:
    """Tell whether `record` is a request, and no execution on behalf of one."""
    return record.route not in ON_BEHALF


def minute_of(at_us: int) -> int:
    """Return the beginning of the minute of an instant."""
    return at_us // MINUTE_US * MINUTE_US


class Truth:
    """The facts of a fleet, and figures of them."""

    def __init__(self, batch: Batch) -> None:
        self.records = batch.records
        self.samples = batch.samples
        self._time: dict[tuple[str, int], tuple[int, int]] = {}
        for sample in batch.samples:
            key = sample.node_id, minute_of(sample.sampled_at_us - 1)
            uptime, capacity = self._time.get(key, (0, 0))
            self._time[key] = (
                uptime + sample.interval_us,
                capacity + sample.interval_us * sample.workers_ready,
            )

    def came(self, period: Period, where: Filter) -> list[UsageRecord]:
        """Return the records of `period` that `where` accepts."""
        return [
            r
            for r in self.records
            if period.from_us <= r.arrived_at_us < period.to_us and accepts(where, r)
        ]

    def ran(self, period: Period, where: Filter) -> list[NodeSample]:
        """Return the samples of `period` of machines that `where` accepts."""
        return [
            s
            for s in self.samples
            if period.from_us < s.sampled_at_us <= period.to_us
            and accepts_machine(where, s.node_id)
        ]

    def share(self, record: UsageRecord) -> Fraction | None:
        """Return the part of its machine that a worker was, None where it was not measured."""
        uptime, capacity = self._time.get((record.node_id, minute_of(record.arrived_at_us)), (0, 0))
        return Fraction(uptime, capacity) if capacity else None

    def machine_us(self, record: UsageRecord) -> Fraction:
        """Return the machine time that `record` owns, 0 where it was not measured."""
        share = self.share(record)
        return worker_us(record) * share if share else Fraction(0)

    def ticks(self, records: Iterable[UsageRecord]) -> Fraction:
        """Return the direct cost of what can be priced."""
        cost = Fraction(0)
        for record in records:
            machine = MACHINES[record.node_id]
            if machine is not None and record.compute_us:
                cost += self.machine_us(record) * rate(machine, minute_of(record.arrived_at_us))
        return cost


def worker_us(record: UsageRecord) -> Fraction:
    """Return the worker time that `record` owns."""
    if not record.compute_us:
        return Fraction(0)
    return Fraction(record.compute_us * record.items, record.batch_size)


def by_step(
    records: Iterable[UsageRecord], period: Period, step_us: int
) -> dict[int, list[UsageRecord]]:
    """Return records by the step that they arrived in."""
    steps: dict[int, list[UsageRecord]] = defaultdict(list)
    for record in records:
        steps[step_of(record.arrived_at_us, period, step_us)].append(record)
    return steps


def step_of(at_us: int, period: Period, step_us: int) -> int:
    """Return the beginning of the step of the minute of an instant."""
    minute = minute_of(at_us)
    return minute - (minute - period.from_us) % step_us


def nearest_rank(durations: Sequence[int], q: float) -> int:
    """Return the exact q-quantile by nearest rank."""
    return sorted(durations)[math.ceil(q * len(durations)) - 1]


def outcomes(records: Iterable[UsageRecord]) -> Counter[str]:
    """Return how many records there are by outcome of the cache."""
    return Counter(record.cache for record in records)
