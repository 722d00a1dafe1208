"""A spool full of made-up records, as a busy node leaves it."""

import random
from pathlib import Path

from uuid_utils import uuid7

from usage import SpoolWriter, UsageRecord, encode_lines

NODE_ID = "benchmark"
BLOCK_RECORDS = 10_000
# Some 50 requests a millisecond would be one node's dream: time goes on as if many nodes wrote.
MEAN_GAP_US = 25


def make_records(
    rng: random.Random, boot_id: str, first_seq: int, count: int, from_us: int
) -> list[UsageRecord]:
    """Return `count` records of some 90 combinations of dimensions, arriving from `from_us` on."""
    records = []
    arrived_at_us = from_us
    for seq in range(first_seq, first_seq + count):
        arrived_at_us += rng.randrange(2 * MEAN_GAP_US)
        queue_us = int(rng.expovariate(1 / 800))
        compute_us = int(rng.lognormvariate(7.5, 0.3))
        records.append(
            UsageRecord(
                record_id=str(uuid7()),
                node_id=NODE_ID,
                boot_id=boot_id,
                seq=seq,
                origin="live",
                model="digits",
                model_version=rng.choice("12"),
                variant="fp32",
                tenant=f"tenant-{rng.randrange(5)}",
                labels={"team": rng.choice("abc"), "project": "checkout"},
                priority=rng.choice(("high", "normal", "batch")),
                pool="cpu",
                worker=rng.randrange(2),
                arrived_at_us=arrived_at_us,
                queue_us=queue_us,
                compute_us=compute_us,
                total_us=queue_us + compute_us + 120,
                batch_id=seq // 4,
                batch_size=rng.choice((1, 2, 4, 8)),
                cache="miss",
                input_digest=f"{rng.getrandbits(64):016x}",
                request_bytes=400,
                response_bytes=150,
                items=1,
                input_tokens=None,
                output_tokens=None,
                client_region="eu-west-1",
                status=200,
                error=None,
            )
        )
    return records


def fill_spool(spool: Path, count: int, from_us: int) -> None:
    """Write `count` records, those of one boot, in segments of the usual size."""
    rng = random.Random(1)  # noqa: S311 - made-up data
    boot_id = str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    for first in range(0, count, BLOCK_RECORDS):
        block = min(BLOCK_RECORDS, count - first)
        records = make_records(rng, boot_id, first + 1, block, from_us + first * MEAN_GAP_US)
        out.append(encode_lines(records))
    out.close()
