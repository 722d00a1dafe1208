"""A finance file with every kind of row, made from real records, passes the public validator."""

import os
from pathlib import Path

import pytest

from costs import Sharing
from costs.price_folder import parse_book
from deploy.validate_focus import CRITERIA, KNOWN, KNOWN_OF_COMMITMENTS, VALIDATOR, validate
from reports.finance import IdleRule
from store import HOUR_US, MINUTE_US, Batch, commit
from tests.fixtures_usage import MONDAY_US, node_sample
from tests.integration.finance_files import by, day_of, days, write
from tests.integration.finance_prices import PRICES
from tests.integration.usage_truth import fleet_facts

RESERVED = {"node_id": "node-9", "boot_id": "0198c0de-0000-7000-8000-000000000009"}
MORE_PRICES = {
    "instances.csv": PRICES["instances.csv"]
    + "gcp,europe-west4,g2-standard-4,spot,0.706832,,2025,test\n",
    "transfer.csv": """\
cloud,region,to,tier_from,usd,per,valid_from,as_of,source
aws,us-east-1,internet,0,0.09,GB,,2025,test
gcp,europe-west4,internet,0,0.12,GiB,,2025,test
""",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that has rows of every component."""
    facts = fleet_facts()
    reserved = [
        node_sample(
            **RESERVED,
            sampled_at_us=MONDAY_US + hour * HOUR_US + MINUTE_US,
            interval_us=MINUTE_US,
            purchase_option="reserved",
        )
        for hour in range(3)
    ]
    database = tmp_path / "usage.duckdb"
    commit(database, Batch(facts.records, [*facts.samples, *reserved]), now_us=1)
    prices = parse_book({**PRICES, **MORE_PRICES}, "prices")
    query = days(day_of(MONDAY_US), idle=IdleRule(Sharing.PROPORTIONAL))
    found = write(database, query, prices, tmp_path / "out")
    kinds = by(found.lines, "ChargeCategory", "PricingCategory", "CommitmentDiscountStatus")
    assert set(kinds) == {
        ("Usage", "Standard", ""),
        ("Usage", "Dynamic", ""),
        ("Usage", "Committed", "Used"),
        ("Usage", "Committed", "Unused"),
        ("Purchase", "Standard", ""),
        ("Adjustment", "", ""),
    }
    # Idle time of the fleet is borne by tenants, that of the reserved machine by nobody.
    idle = by(found.of(x_IsIdle="true"), "x_AllocationMethod")
    assert set(idle) == {("idle-proportional",), ("idle-separate",)}
    return found.path


def test_the_file_passes_the_public_validator(file: Path) -> None:
    if not VALIDATOR.exists():
        assert not os.environ.get("CI"), "the validator must be there where CI is set"
        pytest.skip("the FOCUS validator is not installed: deploy/install_focus_validator")
    # All that is asked of any file, and what is asked of one with commitments beside.
    report = validate(file, (*CRITERIA, "COMMITMENT_DISCOUNT_SUPPORTED"))
    assert report.unknown(KNOWN | KNOWN_OF_COMMITMENTS) == []
    assert report.passed > 300
