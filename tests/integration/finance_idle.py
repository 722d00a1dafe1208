"""Facts of machines of two kinds that are mostly idle, simple enough to share out by hand.

In the first hour n1 (a CPU) executes half an hour for a, n2 (a CPU) six minutes for b, n3 (a GPU)
six minutes for b. In the second hour n1 stands by alone.
"""

from pathlib import Path

from costs import Catalogue, Machine, Price, PriceBook
from store import HOUR_US, MINUTE_US, Batch, commit
from tests.fixtures_usage import MONDAY_US, node_sample, usage_record

CPU, GPU = (
    Machine("aws", "us-east-1", name, "on_demand") for name in ("c7i.xlarge", "g4dn.xlarge")
)
# (tenant, minutes of work, model, labels).
Work = list[tuple[str, int, str, dict[str, str]]]
# What each node is, for how many hours it ran, and its work.
RAN: dict[str, tuple[Machine, int, Work]] = {
    "n1": (CPU, 2, [("a", 20, "digits", {"team": "x"}), ("a", 10, "ranker", {})]),
    "n2": (CPU, 1, [("b", 6, "digits", {})]),
    "n3": (GPU, 1, [("b", 6, "digits", {})]),
}
END_US = MONDAY_US + 2 * HOUR_US


def idle_facts() -> Batch:
    """Return the facts; every node has one worker."""
    facts = Batch()
    for number, (node, (machine, hours, work)) in enumerate(RAN.items(), 1):
        boot_id = f"0198c0de-0000-7000-8000-00000000000{number}"
        facts.samples += [
            node_sample(
                node_id=node,
                boot_id=boot_id,
                sampled_at_us=MONDAY_US + (minute + 1) * MINUTE_US,
                interval_us=MINUTE_US,
                instance_type=machine.instance_type,
                workers_ready=1,
            )
            for minute in range(60 * hours)
        ]
        facts.records += [
            usage_record(
                record_id=f"0198c0de-0000-7000-8000-0000000000{number}{seq}",
                node_id=node,
                boot_id=boot_id,
                seq=seq,
                tenant=tenant,
                model=model,
                labels=labels,
                arrived_at_us=MONDAY_US + seq,
                compute_us=minutes * MINUTE_US,
                total_us=minutes * MINUTE_US + 500,
            )
            for seq, (tenant, minutes, model, labels) in enumerate(work, 1)
        ]
    return facts


def idle_database(path: Path) -> Path:
    """Store the facts at `path`."""
    commit(path, idle_facts(), now_us=END_US)
    return path


def idle_book(*more: Price) -> PriceBook:
    """Return prices of 0.2 and 0.5 USD an hour, and `more`."""
    prices = [
        Price(CPU, 200_000, None, "2025", "test"),
        Price(GPU, 500_000, None, "2025", "test"),
    ]
    return PriceBook(Catalogue([*prices, *more]))
