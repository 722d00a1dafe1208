"""What is declared to be paid for: read as it stands, refused in words."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from costs import Commitment, Machine, ResourceError, Resources, parse_resources
from costs.commitment_rules import commitment_rules
from costs.prices.override import Fixed

COMMITMENT = """
[[commitment]]
id = "ri-1"
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
count = 2
term_years = 1
from = 2026-01-01
usd_per_hour = "0.11"
"""
STORAGE = """
[[storage]]
name = "models"
cloud = "aws"
region = "us-east-1"
storage_class = "object_standard"
gb = "12.5"
from = 2026-01-01
"""
CACHE = """
[[cache]]
name = "redis"
cloud = "aws"
region = "us-east-1"
usd_per_hour = "0.068"
from = 2026-01-01
"""


def at(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


def test_nothing_declared_is_nothing_paid_for() -> None:
    assert parse_resources("", "f") == Resources()


@pytest.mark.parametrize(
    ("begin", "term", "end"),
    [
        ("2026-01-01", 1, at(2027)),
        ("2026-01-01", 3, at(2029)),
        ("2024-02-29", 1, at(2025, 3, 1)),
        ("2024-02-29", 3, at(2027, 3, 1)),
        ("2023-03-01", 1, at(2024, 3, 1)),
    ],
)
def test_a_term_ends_on_its_anniversary(begin: str, term: int, end: int) -> None:
    text = COMMITMENT.replace("2026-01-01", begin).replace("years = 1", f"years = {term}")
    [commitment] = parse_resources(text, "f").commitments
    assert commitment.to_us == end


def test_an_upfront_payment_is_spread_over_the_hours_of_the_term() -> None:
    text = COMMITMENT.replace('"0.11"', '"0"') + 'upfront_usd = "876"\n'
    [commitment] = parse_resources(text, "f").commitments
    # A year of 365 days has 8,760 hours.
    assert commitment.effective_micro_usd_per_hour == 100_000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[storage]", "f: "),
        ("[[machine]]\nid = 1\n", "`machine`"),
        (COMMITMENT + COMMITMENT, "commitment: id 'ri-1' occurs twice"),
        (STORAGE + STORAGE, "storage: name 'models' occurs twice"),
        (CACHE + CACHE, "cache: name 'redis' occurs twice"),
        (COMMITMENT.replace('"0.11"', '"-0.11"'), "usd_per_hour is '-0.11'; accepted: USD"),
        (COMMITMENT.replace('"0.11"', '"0.1234567"'), "at most 6 decimals"),
        (COMMITMENT.replace('"0.11"', '"NaN"'), "usd_per_hour is 'NaN'"),
        (COMMITMENT.replace('"0.11"', '"1e99"'), "accepted: at most"),
        (COMMITMENT.replace('"0.11"', "0.11"), "Expected `str`"),
        (COMMITMENT.replace("years = 1", "years = 2"), "term_years"),
        (COMMITMENT.replace("count = 2", "count = 0"), "count"),
        (COMMITMENT.replace("2026-01-01", "1999-12-31"), "from is 1999-12-31"),
        (COMMITMENT + "usd_per_month = 3\n", "usd_per_month"),
        (STORAGE.replace('"12.5"', '"12.5 GB"'), "gb is '12.5 GB'; accepted: gigabytes"),
        (STORAGE + "to = 2026-01-01\n", "to is 2026-01-01; accepted: a day after from"),
        (CACHE.replace("2026-01-01", '"soon"'), "from"),
        ('[network]\negress_to = "moon"\n', "egress_to"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(ResourceError, match=r"^f: ") as refused:
        parse_resources(text, "f")
    assert named in str(refused.value)


def commitment(
    begin: int, end: int, *, count: int = 1, usd: float = 0.1, name: str = "a"
) -> Commitment:
    machine = Machine("aws", "us-east-1", "c7i.xlarge", "reserved")
    return Commitment(name, machine, count, 1, begin, end, round(usd * 10**6), 0)


def test_while_two_commitments_hold_an_hour_costs_their_mean() -> None:
    one = commitment(at(2026), at(2027), count=3, usd=0.1, name="a")
    other = commitment(at(2026, 7), at(2027, 7), count=1, usd=0.2, name="b")
    rules = commitment_rules([one, other], "resources.toml")
    assert [(rule.valid_from_us, rule.valid_to_us, rule.name) for rule in rules] == [
        (at(2026), at(2026, 7), "commitment a"),
        (at(2026, 7), at(2027), "commitment a, b"),
        (at(2027), at(2027, 7), "commitment b"),
    ]
    paid = [rule.effect.micro_usd_per_hour for rule in rules if isinstance(rule.effect, Fixed)]
    assert paid == [100_000, 125_000, 200_000]


def test_between_commitments_the_list_price_counts() -> None:
    rules = commitment_rules(
        [commitment(at(2024), at(2025)), commitment(at(2026), at(2027), name="b")], "f"
    )
    assert [(rule.valid_from_us, rule.valid_to_us) for rule in rules] == [
        (at(2024), at(2025)),
        (at(2026), at(2027)),
    ]


def test_a_price_is_never_above_what_is_paid() -> None:
    three = commitment(at(2026), at(2027), usd=0.000001)
    two = commitment(at(2026), at(2027), usd=0.000002, name="b")
    [rule] = commitment_rules([three, two], "f")
    assert isinstance(rule.effect, Fixed)
    assert rule.effect.micro_usd_per_hour == 1 < Fraction(3, 2)
