"""Plausible facts of one small node, for tests and for looking at pages.

The node serves the digits model with two workers: requests arrive as a Poisson process whose rate
swells and ebbs, wait up to two milliseconds for company in a batch, take about 1.5 ms to execute,
sometimes come from the cache, sometimes fail. The node samples itself on every whole second. The
same arguments give the same facts.
"""

import dataclasses
import math
import random
import uuid
from pathlib import Path
from typing import Any

from store import Batch, LoggedRequest, RejectedLine, commit
from usage import NodeSample, UsageRecord

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US

NODE_ID = "node-1"
BOOT_ID = "0198c0de-0000-7000-8000-000000000001"
# 2025-11-03 14:00:00 UTC, a Monday and a whole hour.
MONDAY_US = 1_762_178_400 * SECOND_US

TENANTS = (("shop", 6), ("search", 3), ("internal", 1))
WORKERS = 2
MAX_BATCH = 8
MAX_DELAY_US = 2_000
HANDLING_US = 180
SWELL = 0.35
SWELL_PERIOD_US = 17 * MINUTE_US


def usage_record(**overrides: Any) -> UsageRecord:
    """Return a successful request that executed alone, with `overrides` in place."""
    fields: dict[str, Any] = {
        "record_id": "0198c0de-0000-7000-8000-0000000000ff",
        "node_id": NODE_ID,
        "boot_id": BOOT_ID,
        "seq": 1,
        "origin": "replay",
        "model": "digits",
        "model_version": "1",
        "variant": "fp32",
        "tenant": "shop",
        "labels": {"team": "checkout"},
        "priority": "normal",
        "pool": "cpu",
        "worker": 0,
        "arrived_at_us": MONDAY_US,
        "queue_us": 400,
        "compute_us": 1_500,
        "total_us": 2_080,
        "batch_id": 1,
        "batch_size": 1,
        "cache": "miss",
        "input_digest": "00000000000000ff",
        "request_bytes": 420,
        "response_bytes": 96,
        "items": 1,
        "input_tokens": None,
        "output_tokens": None,
        "client_region": None,
        "status": 200,
        "error": None,
        "route": "direct",
        "parent_id": None,
    }
    return UsageRecord(**{**fields, **overrides})


def on_behalf(**overrides: Any) -> UsageRecord:
    """Return an execution for the request of `usage_record()`, different in every sum."""
    fields: dict[str, Any] = {
        "record_id": "0198c0de-0000-7000-8000-00000000000a",
        "parent_id": usage_record().record_id,
        "route": "shadow",
        "seq": 2,
        "model_version": "2",
        "items": 3,
        "batch_size": 4,
        "queue_us": 7_000,
        "compute_us": 9_000,
        "total_us": 99_000,
        "request_bytes": 5,
        "response_bytes": 5,
        "status": 500,
        "error": "execution_failed",
    }
    return usage_record(**{**fields, **overrides})


def node_sample(**overrides: Any) -> NodeSample:
    """Return one second of an idle node of two workers, with `overrides` in place."""
    fields: dict[str, Any] = {
        "node_id": NODE_ID,
        "boot_id": BOOT_ID,
        "sampled_at_us": MONDAY_US + SECOND_US,
        "interval_us": SECOND_US,
        "cloud": "aws",
        "region": "us-east-1",
        "instance_type": "c7i.xlarge",
        "purchase_option": "on_demand",
        "workers_ready": WORKERS,
        "workers_loading": 0,
        "busy_us": 0,
        "cpu_utilization": 0.05,
        "memory_bytes": 220 * 2**20,
        "gpu_utilization": None,
        "gpu_memory_bytes": None,
        "gpu_power_w": None,
        "queue_depth": 0,
        "records_dropped": 0,
    }
    return NodeSample(**{**fields, **overrides})


def rejected_line(**overrides: Any) -> RejectedLine:
    """Return a line that was no JSON, with `overrides` in place."""
    fields: dict[str, Any] = {
        "node_id": NODE_ID,
        "boot_id": BOOT_ID,
        "segment": 1,
        "byte_offset": 0,
        "reason": "JSON is malformed: invalid character (byte 0)",
        "line": "garbage",
    }
    return RejectedLine(**{**fields, **overrides})


def logged_request(**overrides: Any) -> LoggedRequest:
    """Return `usage_record()` as the store gives it back, machine time not yet measured."""
    record = usage_record()
    fields: dict[str, Any] = {
        field.name: getattr(record, field.name, None) for field in dataclasses.fields(LoggedRequest)
    }
    return LoggedRequest(**{**fields, "executed": True, "busy": None, **overrides})


def traffic(
    from_us: int,
    to_us: int,
    *,
    per_second: float = 30.0,
    seed: int = 7,
    first_seq: int = 1,
    node: dict[str, Any] | None = None,
) -> Batch:
    """Return the requests that arrived in a stretch of whole seconds and the samples of it.

    `node` overrides fields of every sample, such as its instance type.
    """
    rng = random.Random(seed)
    busy_us = [0] * ((to_us - from_us) // SECOND_US)
    records: list[UsageRecord] = []
    free_at_us = [from_us] * WORKERS
    arrivals = _poisson(rng, from_us, to_us, per_second)
    position, batch_id = 0, 0
    while position < len(arrivals):
        head_us = arrivals[position]
        outcome = rng.random()
        if outcome < 0.06:
            seq = first_seq + position
            records.append(_not_executed(rng, seq, head_us, refused=outcome < 0.008))
            position += 1
            continue
        batch = [head_us]
        while (
            len(batch) < MAX_BATCH
            and position + len(batch) < len(arrivals)
            and arrivals[position + len(batch)] <= head_us + MAX_DELAY_US
        ):
            batch.append(arrivals[position + len(batch)])
        batch_id += 1
        worker = min(range(WORKERS), key=free_at_us.__getitem__)
        start_us = max(free_at_us[worker], head_us + MAX_DELAY_US)
        compute_us = round(rng.lognormvariate(0, 0.18) * (1_380 + 120 * len(batch)))
        if rng.random() < 0.004:
            compute_us *= 9  # the machine was busy with something else
        free_at_us[worker] = start_us + compute_us
        second = min((start_us - from_us) // SECOND_US, len(busy_us) - 1)
        busy_us[second] += compute_us
        records += [
            _record(
                rng,
                first_seq + position + place,
                arrived_at_us,
                worker=worker,
                queue_us=start_us - arrived_at_us,
                compute_us=compute_us,
                total_us=start_us - arrived_at_us + compute_us + _handling_us(rng),
                batch_id=batch_id,
                batch_size=len(batch),
            )
            for place, arrived_at_us in enumerate(batch)
        ]
        position += len(batch)
    samples = [
        node_sample(
            **{
                "sampled_at_us": from_us + (second + 1) * SECOND_US,
                "busy_us": busy,
                "cpu_utilization": min(1.0, 0.02 + busy / SECOND_US / 2),
                **(node or {}),
            }
        )
        for second, busy in enumerate(busy_us)
    ]
    return Batch(records=records, samples=samples)


def fill(
    database: Path,
    to_us: int,
    *,
    minutes: int = 20,
    per_second: float = 30.0,
    seed: int = 7,
    node: dict[str, Any] | None = None,
) -> Batch:
    """Commit the `minutes` of traffic that end at the last whole second before `to_us`."""
    end_us = to_us // SECOND_US * SECOND_US
    batch = traffic(
        end_us - minutes * MINUTE_US, end_us, per_second=per_second, seed=seed, node=node
    )
    commit(database, batch, now_us=to_us)
    return batch


def _poisson(rng: random.Random, from_us: int, to_us: int, per_second: float) -> list[int]:
    """Return arrivals of a Poisson process by thinning one at the highest rate."""
    highest = per_second * (1 + SWELL)
    arrivals = []
    at_us = from_us + rng.expovariate(highest) * SECOND_US
    while at_us < to_us:
        rate = per_second * (1 + SWELL * math.sin(2 * math.pi * at_us / SWELL_PERIOD_US))
        if rng.random() * highest < rate:
            arrivals.append(int(at_us))
        at_us += rng.expovariate(highest) * SECOND_US
    return arrivals


def _handling_us(rng: random.Random) -> int:
    return round(HANDLING_US * rng.lognormvariate(0, 0.3))


def _not_executed(rng: random.Random, seq: int, arrived_at_us: int, refused: bool) -> UsageRecord:
    kind: dict[str, Any] = {"cache": "memory"}
    if refused:
        kind = {"cache": "bypass", "status": 503, "error": "queue_full"}
    return _record(
        rng,
        seq,
        arrived_at_us,
        worker=None,
        queue_us=0,
        compute_us=0,
        total_us=_handling_us(rng),
        batch_id=None,
        batch_size=0,
        **kind,
    )


def _record(rng: random.Random, seq: int, arrived_at_us: int, **fields: Any) -> UsageRecord:
    tenant = rng.choices([name for name, _ in TENANTS], [weight for _, weight in TENANTS])[0]
    return usage_record(
        record_id=_uuid7(rng, arrived_at_us),
        seq=seq,
        arrived_at_us=arrived_at_us,
        tenant=tenant,
        priority=rng.choices(("normal", "high", "batch"), (8, 1, 1))[0],
        input_digest=f"{rng.getrandbits(64):016x}",
        **fields,
    )


def _uuid7(rng: random.Random, instant_us: int) -> str:
    head = (instant_us // 1000) << 80 | 7 << 76 | rng.getrandbits(12) << 64
    return str(uuid.UUID(int=head | 2 << 62 | rng.getrandbits(62)))
