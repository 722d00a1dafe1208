"""Facts of a service that costs the same every day, and twice as much on one of them."""

from datetime import date
from typing import Any

from costs.month import DAY_US, day_at, start_us
from store import Batch
from tests.fixtures_usage import node_sample, usage_record

HOUR_US = DAY_US // 24
BOOT, SECOND_BOOT = (f"0198c0de-0000-7000-8000-00000000000{n}" for n in (1, 2))
# A Wednesday at noon.
END_US = start_us(date(2025, 9, 24)) + 12 * HOUR_US


def steady_days(days: int, *, spike_ago: int | None = None, **record: Any) -> Batch:
    """Return so many whole days of one machine, and half a day up to END_US.

    On the day `spike_ago` days before the last, two machines ran. A request a day keeps a worker
    busy for an hour; `record` overrides its fields.
    """
    today = start_us(day_at(END_US))
    samples, records = [], []
    for at_us in range(today - days * DAY_US + HOUR_US, END_US + 1, HOUR_US):
        samples.append(node_sample(sampled_at_us=at_us, interval_us=HOUR_US, boot_id=BOOT))
        if (today - (at_us - 1) // DAY_US * DAY_US) // DAY_US == spike_ago:
            second = {"node_id": "node-2", "boot_id": SECOND_BOOT}
            samples.append(node_sample(sampled_at_us=at_us, interval_us=HOUR_US, **second))
    for day in range(days):
        fields = {
            "record_id": f"0198c0de-0000-7000-8000-{day + 1:012x}",
            "seq": day + 1,
            "boot_id": BOOT,
            "arrived_at_us": today - (day + 1) * DAY_US + HOUR_US // 2,
            "compute_us": HOUR_US,
            "request_bytes": 0,
            "response_bytes": 0,
            **record,
        }
        records.append(usage_record(**fields))
    return Batch(records=records, samples=samples)
