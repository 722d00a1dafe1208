"""Whatever nodes did, every microsecond that they were up is paid for once, and by somebody.

Nodes restart within a minute, are sampled at odd lengths across minutes, hours and days, and some
samples overlap: a machine that is counted twice is paid for twice, in every figure alike.
"""

import random
import tempfile
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from costs import Catalogue, Overrides, Price, PriceBook, Sharing, parse_resources
from costs.commitment_rules import commitment_rules
from costs.prices.transfer import Tier, TransferPrice
from costs.prices.units import GB
from reports import Window
from reports.costs import load_costs
from store import DAY_US, EVERYTHING, HOUR_US, Batch, By, commit, open_writer
from store.compaction import fold_minutes
from tests.fixtures_usage import node_sample, usage_record
from tests.integration.usage_truth import CHEAP, DEAR
from usage import NodeSample, UsageRecord

# The end of a month, the end of summer time in Europe, the turn of a year.
EDGES = [
    int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000
    for year, month, day, hour in ((2025, 11, 1, 0), (2025, 10, 26, 1), (2026, 1, 1, 0))
]
RESERVED = replace(CHEAP, purchase_option="reserved")
RATES = {CHEAP: 178_501, DEAR: 706_837, RESERVED: 100_000}
# Upfront payments that leave a part of a micro-USD an hour, bytes at an odd price.
RESOURCES = parse_resources(
    f"""
[[commitment]]
id = "ri"
cloud = "aws"
region = "{CHEAP.region}"
instance_type = "{CHEAP.instance_type}"
count = 1
term_years = 1
from = 2025-10-26
usd_per_hour = "0.1"
upfront_usd = "0.001"

[[storage]]
name = "models"
cloud = "aws"
region = "us-east-1"
storage_class = "object_standard"
gb = "0.7"
from = 2025-10-01
to = 2025-11-01
usd_per_gb_month = "0.023"

[[cache]]
name = "redis"
cloud = "aws"
region = "us-east-1"
usd_per_hour = "0.068"
from = 2025-11-01
""",
    "resources.toml",
)
BOOK = PriceBook(
    Catalogue(
        [
            Price(machine, RATES[machine], None, "2025-01-01", "test")
            for machine in (CHEAP, DEAR)
        ],
        Overrides(commitment_rules(RESOURCES.commitments, "resources.toml")),
    ),
    transfers=[
        TransferPrice("aws", "us-east-1", "internet", GB, (Tier(0, Fraction(90_001)),), None,
            "2025-01-01", "test")
    ],
    resources=RESOURCES,
)  # fmt: skip


def life(rng: random.Random, node: int, from_us: int) -> tuple[list[UsageRecord], list[NodeSample]]:
    """Return what one boot of a node left: samples without gap, and requests in their time."""
    machine = rng.choice(list(RATES))
    boot = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    own = {"node_id": f"node-{node}", "boot_id": boot}
    records: list[UsageRecord] = []
    samples: list[NodeSample] = []
    at_us = from_us
    for _ in range(rng.randrange(1, 6)):
        length_us = rng.choice((1, 999_999, 1_000_000, 61_000_003, rng.randrange(1, 2 * HOUR_US)))
        workers = rng.choice((0, 1, 3))
        samples.append(
            node_sample(
                **own,
                sampled_at_us=at_us + length_us,
                interval_us=length_us,
                workers_ready=workers,
                busy_us=rng.randrange(length_us + 1),
                cloud=machine.cloud,
                region=machine.region,
                instance_type=machine.instance_type,
                purchase_option=machine.purchase_option,
            )
        )
        for _ in range(rng.randrange(4)):
            records.append(
                usage_record(
                    **own,
                    record_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                    seq=len(records) + 1,
                    arrived_at_us=at_us + rng.randrange(length_us),
                    tenant=rng.choice(("shop", "search")),
                    compute_us=rng.choice((0, 1, rng.randrange(10**6))),
                    batch_size=rng.choice((1, 3, 7)),
                    status=rng.choice((200, 200, 500)),
                )
            )
        at_us += length_us
    return records, samples


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63), st.sampled_from(EDGES), st.booleans())
def test_every_microsecond_of_every_boot_is_paid_for_once_and_by_somebody(
    seed: int, edge_us: int, folded: bool
) -> None:
    rng = random.Random(seed)
    batch = Batch()
    for node in range(rng.randrange(1, 4)):
        for _ in range(rng.randrange(1, 3)):
            # A restart, or two boots at once that claim the same machine.
            records, samples = life(rng, node, edge_us + rng.randrange(-HOUR_US, HOUR_US))
            batch.records += records
            batch.samples += samples
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "usage.duckdb"
        commit(database, batch, now_us=1)
        if folded:
            with open_writer(database) as connection:
                fold_minutes(connection, edge_us - edge_us % HOUR_US + rng.randrange(3) * HOUR_US)
        window = Window("2 days", 2 * DAY_US, HOUR_US)
        by = rng.choice(([By.TENANT], [By.NODE, By.STATUS], []))
        rule = rng.choice((Sharing.SEPARATE, Sharing.PROPORTIONAL, Sharing.EVEN))
        found = load_costs(database, BOOK, window, edge_us + DAY_US, EVERYTHING, by, rule)
        assert found is not None
        paid = sum(
            RATES[machine] * sample.interval_us
            for sample in batch.samples
            for machine in RATES
            if (machine.instance_type, machine.purchase_option)
            == (sample.instance_type, sample.purchase_option)
        )
        # Before its commitment begins, a reserved machine has no price.
        if not found.unpriced:
            assert found.total.machine == paid
        assert found.total.compute + found.total.idle == found.total.machine
        parts = sum((each.cost for each in found.slices), Fraction(0)) + found.apart
        assert parts == found.total.total
        assert sum((step.total for _, step in found.steps), Fraction(0)) == found.total.total
        period, [use] = found.shown.period, found.commitments
        promised_us = min(found.shown.covered[1], period.to_us) - max(
            period.from_us, RESOURCES.commitments[0].from_us
        )
        assert use.committed_us == max(0, promised_us)
        assert use.paid == use.unused + RATES[RESERVED] * use.covered_us
        assert found.total.commitment == use.unused + use.excess
        assert sum(each.totals.requests for each in found.slices) == len(batch.records)
