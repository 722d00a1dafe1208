"""What is declared to be paid for: read as it stands, refused in words."""

from datetime import UTC, datetime

import pytest

from costs import PriceFileError, Resources, parse_resources

COMMITMENT = """
[[commitment]]
id = "ri-1"
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
count = 2
term_years = 1
from = 2026-01-01
usd_per_hour = 0.11
"""
STORAGE = """
[[storage]]
name = "models"
cloud = "aws"
region = "us-east-1"
storage_class = "object_standard"
gb = 12.5
from = 2026-01-01
"""
CACHE = """
[[cache]]
name = "redis"
cloud = "aws"
region = "us-east-1"
usd_per_hour = 0.068
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
    text = COMMITMENT.replace("0.11", "0") + "upfront_usd = 876\n"
    [commitment] = parse_resources(text, "f").commitments
    # A year of 365 days has 8,760 hours.
    assert commitment.effective_micro_usd_per_hour == 100_000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[storage]", "f: "),
        ("[[machine]]\nid = 1\n", "'machine' is unknown; accepted: commitment, storage, cache"),
        ("[storage]\nname = 'a'\n", "storage is no list of tables; accepted: [[storage]]"),
        ("archive = 1\n", "f: archive: Expected `object`"),
        (COMMITMENT + COMMITMENT, "commitment 2 ('ri-1'): id occurs twice"),
        (STORAGE + STORAGE, "storage 2 ('models'): name occurs twice"),
        (CACHE + CACHE, "cache 2 ('redis'): name occurs twice"),
        (COMMITMENT.replace("0.11", "-0.11"), "('ri-1'): usd_per_hour is -0.11; accepted: USD"),
        (COMMITMENT.replace("0.11", "0.1234567"), "at most six decimals"),
        (COMMITMENT.replace("0.11", "0.11" + "0" * 30 + "1"), "at most six decimals"),
        (COMMITMENT.replace("0.11", "nan"), "usd_per_hour is NaN"),
        (COMMITMENT.replace("0.11", "true"), "usd_per_hour is True"),
        (COMMITMENT.replace("0.11", "9e999999"), "accepted: USD, zero to 10^12"),
        (COMMITMENT.replace("0.11", '"9e999999"'), "accepted: USD, zero to 10^12"),
        (
            COMMITMENT.replace("years = 1", "years = 2"),
            "commitment 1 ('ri-1'): Invalid enum value 2",
        ),
        (
            COMMITMENT.replace("count = 2", "count = 0"),
            "commitment 1 ('ri-1'): Expected `int` >= 1",
        ),
        (COMMITMENT.replace("c7i.xlarge", "c7i.*"), "('ri-1'): Expected `str` matching regex"),
        (COMMITMENT.replace("ri-1", "  "), "at `$.id`"),
        (STORAGE.replace("us-east-1", "us-east-1 "), "('models'): Expected `str` matching regex"),
        (COMMITMENT.replace("2026-01-01", "1999-12-31"), "from is 1999-12-31"),
        (COMMITMENT + "usd_per_month = 3\n", "usd_per_month"),
        (COMMITMENT.replace('id = "ri-1"', ""), "commitment 1: Object missing required field `id`"),
        (STORAGE.replace("12.5", '"12.5 GB"'), "gb is 12.5 GB; accepted: gigabytes"),
        (STORAGE + "to = 2026-01-01\n", "to is 2026-01-01; accepted: a day after from"),
        (CACHE.replace("2026-01-01", '"soon"'), "cache 1 ('redis')"),
        ('[network]\negress_to = "moon"\n', "egress_to"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(PriceFileError, match=r"^f: ") as refused:
        parse_resources(text, "f")
    assert named in str(refused.value)


def test_amounts_are_the_decimals_that_stand_there_in_quotes_or_without() -> None:
    # 0.1124 as a binary fraction is no whole number of micro-USD.
    for quote in ("", '"'):
        text = COMMITMENT.replace("0.11", f"{quote}0.1124{quote}")
        text += STORAGE.replace("12.5", f"{quote}12.500000001{quote}")
        found = parse_resources("\ufeff" + text, "f")
        assert found.commitments[0].micro_usd_per_hour == 112_400
        assert found.storage[0].stored_bytes == 12_500_000_001
