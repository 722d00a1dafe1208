"""Weeks of plausible facts, few of them: an hour is one sample of a node and a few requests."""

from pathlib import Path
from typing import Any

from store import HOUR_US, Batch, commit
from tests.fixtures_usage import node_sample, usage_record
from usage import NodeSample, UsageRecord

COMPUTE_US = 1_500


def hour_of_facts(
    start_us: int, seq: int, *, requests: int = 3, failures: int = 0, **fields: Any
) -> tuple[list[UsageRecord], NodeSample]:
    """Return `requests` that came in the hour from `start_us` on, and the sample of that hour.

    `fields` are those of both: node_id, boot_id; the others of a record are those of requests.
    """
    of_node = {name: fields[name] for name in ("node_id", "boot_id") if name in fields}
    node = fields.pop("node", {})
    records = [
        usage_record(
            **{
                "record_id": f"0198c0de-0000-7000-8000-{start_us // HOUR_US:06x}{seq + n:06x}",
                "seq": seq + n,
                "arrived_at_us": start_us + n * 1_000_000,
                "compute_us": COMPUTE_US,
                "batch_id": seq + n,
                "status": 500 if n < failures else 200,
                "error": "execution_failed" if n < failures else None,
                **fields,
            }
        )
        for n in range(requests)
    ]
    sample = node_sample(
        sampled_at_us=start_us + HOUR_US,
        interval_us=HOUR_US,
        **{"busy_us": requests * COMPUTE_US, **of_node, **node},
    )
    return records, sample


def commit_hours(
    database: Path, from_us: int, to_us: int, *, first_seq: int = 1, **fields: Any
) -> Batch:
    """Commit the hours from `from_us` to `to_us` in one batch, and return it."""
    batch = Batch()
    seq = first_seq
    for start_us in range(from_us, to_us, HOUR_US):
        records, sample = hour_of_facts(start_us, seq, **fields)
        batch.records.extend(records)
        batch.samples.append(sample)
        seq += len(records)
    commit(database, batch, now_us=to_us)
    return batch
