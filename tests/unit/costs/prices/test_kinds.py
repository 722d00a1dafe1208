"""Every kind of price file: what a row means, and which rows are refused."""

from fractions import Fraction

import pytest

from costs import PriceFileError
from costs.prices.commitment import parse_commitments
from costs.prices.instance_type import parse_instance_types
from costs.prices.interruption import parse_interruptions
from costs.prices.latency import parse_latencies
from costs.prices.storage import parse_storage
from costs.prices.transfer import Tier, parse_transfers
from costs.prices.units import GB, GIB, PerHour, PerMonth, PerTerm

TYPES = (
    "cloud,instance_type,vcpus,memory_gib,accelerator,accelerator_count,accelerator_memory_gib,"
    "as_of,source\n"
)
COMMITMENTS = (
    "cloud,region,instance_type,offering,term_years,payment,upfront_usd_per_term,usd_per_hour,"
    "valid_from,as_of,source\n"
)
TRANSFERS = "cloud,region,to,tier_from,usd,per,valid_from,as_of,source\n"
STORAGE = "cloud,region,storage_class,product,usd,per,valid_from,as_of,source\n"
LATENCY = "cloud,region,to,rtt_p50_us,rtt_p95_us,as_of,source\n"
INTERRUPTION = (
    "cloud,region,instance_type,interrupted_percent_per_month,savings_percent,as_of,source\n"
)


def test_memory_is_binary_and_each_accelerator_has_its_own() -> None:
    (found,) = parse_instance_types(TYPES + "aws,g5.12xlarge,48,3.75,A10G,4,24,2026,s\n", "types")
    assert (found.vcpus, found.memory_bytes) == (48, 4_026_531_840)
    assert (found.accelerator, found.accelerator_count) == ("A10G", 4)
    assert found.accelerator_memory_bytes == 24 * GIB


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("aws,t,0,4,,0,,2026,s", "vcpus is '0'; accepted: a whole number, 1 or more"),
        ("aws,t,4,0,,0,,2026,s", "memory_gib is '0'"),
        ("aws,t,4,0.0000000001,,0,,2026,s", "whole bytes"),
        ("aws,t,4,4,,1,,2026,s", "accelerator is None, accelerator_count 1"),
        ("aws,t,4,4,T4,0,,2026,s", "accelerator is 'T4', accelerator_count 0"),
        ("aws,t,4,4,,0,16,2026,s", "accelerator_memory_gib '16'"),
        ("aws,t,4,4,,0,,2026,", "source is empty"),
    ],
)
def test_a_type_that_cannot_be_is_refused(row: str, complaint: str) -> None:
    with pytest.raises(PriceFileError, match="types line 2") as refused:
        list(parse_instance_types(f"{TYPES}{row}\n", "types"))
    assert complaint in str(refused.value)


def test_a_commitment_costs_its_hours_and_what_was_paid_upfront() -> None:
    row = "aws,r,t,standard,3,partial_upfront,2628,0.05,2026-01-01,2026,s\n"
    (offer,) = parse_commitments(COMMITMENTS + row, "commitments")
    # 2,628 USD over 3 x 8,760 hours are 0.10 USD an hour, beside 0.05.
    assert offer.upfront == PerTerm(Fraction(2_628_000_000), 3)
    assert offer.recurring == PerHour(Fraction(50_000))
    assert offer.effective == PerHour(Fraction(150_000))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("aws,r,t,standard,2,no_upfront,0,1,,2026,s", "term_years is '2'; accepted: 1, 3"),
        ("aws,r,t,rented,1,no_upfront,0,1,,2026,s", "offering is 'rented'"),
        ("aws,r,t,standard,1,monthly,0,1,,2026,s", "payment is 'monthly'"),
        ("aws,r,t,standard,1,no_upfront,5,1,,2026,s", "upfront_usd_per_term is '5'; accepted: 0"),
        ("aws,r,t,standard,1,all_upfront,5,1,,2026,s", "usd_per_hour is '1'; accepted: 0"),
        ("aws,r,t,standard,1,all_upfront,-5,0,,2026,s", "upfront_usd_per_term is '-5'"),
        ("aws,r,t,standard,1,no_upfront,0,1,1.1.26,2026,s", "valid_from is '1.1.26'"),
        ("aws,r,t,standard,1,no_upfront,0,1,1960-01-01,2026,s", "valid_from is '1960-01-01'"),
    ],
)
def test_a_commitment_that_cannot_be_is_refused(row: str, complaint: str) -> None:
    with pytest.raises(PriceFileError, match="commitments line 2") as refused:
        list(parse_commitments(f"{COMMITMENTS}{row}\n", "commitments"))
    assert complaint in str(refused.value)


def test_the_first_tier_is_in_force_and_all_are_kept() -> None:
    text = (
        f"{TRANSFERS}aws,us-east-1,internet,0,0.09,GB,,2024,s\n"
        "aws,us-east-1,internet,10240,0.085,GB,,2024,s\n"
        "gcp,us-east1,internet,0,0.1866395,GiB,,2024,s\n"
    )
    aws, gcp = parse_transfers(text, "transfer")
    assert (aws.micro_usd, aws.unit_bytes) == (Fraction(90_000), GB)
    assert aws.tiers[1] == Tier(10_240 * GB, Fraction(85_000))
    assert (gcp.micro_usd, gcp.unit_bytes) == (Fraction(373_279, 2), GIB)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("a,r,internet,0,0.09,TB,,2024,s", "line 2: per is 'TB'; accepted: GB, GiB"),
        ("a,r,internet,0,0.09,GB-month,,2024,s", "line 2: per is 'GB-month'; accepted: GB, GiB"),
        ("a,r,internet,5,0.09,GB,,2024,s", "line 2: tier_from is '5'; accepted: tiers from 0 on"),
        (
            "a,r,internet,0,1,GB,,2024,s\na,r,internet,0,2,GB,,2024,s",
            "line 2: tier_from is '0'; accepted: tiers from 0 on, ascending",
        ),
        (
            "a,r,internet,0,1,GB,,2024,s\na,r,internet,5,2,GiB,,2024,s",
            "line 3: per, as_of or source differs from transfer line 2",
        ),
        ("a,r,internet,-1,0.09,GB,,2024,s", "line 2: tier_from is '-1'"),
    ],
)
def test_tiers_that_cannot_be_are_refused(rows: str, complaint: str) -> None:
    with pytest.raises(PriceFileError, match="transfer") as refused:
        list(parse_transfers(f"{TRANSFERS}{rows}\n", "transfer"))
    assert complaint in str(refused.value)


def test_storage_is_paid_by_the_month() -> None:
    (found,) = parse_storage(STORAGE + "gcp,r,block_ssd,PD,0.17,GiB-month,,2026,s\n", "storage")
    assert (found.price, found.unit_bytes) == (PerMonth(Fraction(170_000)), GIB)
    for per in ("GB", "GiB", "GB-hour", "GB-year"):
        with pytest.raises(PriceFileError, match=f"per is '{per}'; accepted: GB-month, GiB-month"):
            list(parse_storage(f"{STORAGE}gcp,r,block_ssd,PD,0.17,{per},,2026,s\n", "storage"))


def test_a_median_is_no_95th_percentile() -> None:
    text = f"{LATENCY}aws,a,b,5349,,2025,s\nazure,a,b,,11000,2026,s\n"
    aws, azure = parse_latencies(text, "latency")
    assert (aws.rtt_p50_us, aws.rtt_p95_us) == (5_349, None)
    assert (azure.rtt_p50_us, azure.rtt_p95_us) == (None, 11_000)
    with pytest.raises(PriceFileError, match="rtt_p50_us and rtt_p95_us are empty"):
        list(parse_latencies(f"{LATENCY}aws,a,b,,,2025,s\n", "latency"))


def test_a_band_has_its_bounds_and_the_highest_is_open() -> None:
    text = f"{INTERRUPTION}aws,r,t,5-10,61,2025,s\naws,r,u,>20,-62,2025,s\n"
    low, high = parse_interruptions(text, "interruption")
    assert (low.least_percent, low.most_percent, low.savings_percent) == (5, 10, 61)
    assert (high.least_percent, high.most_percent, high.savings_percent) == (20, None, -62)
    for row, field in (("20%,1", "interrupted_percent_per_month"), ("<5,101", "savings_percent")):
        with pytest.raises(PriceFileError, match=field):
            list(parse_interruptions(f"{INTERRUPTION}aws,r,t,{row},2025,s\n", "interruption"))
