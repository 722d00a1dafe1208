"""Declared commitments as prices of reserved machines: what is paid, and never more."""

from datetime import UTC, datetime
from fractions import Fraction

from costs import Commitment, Machine
from costs.commitment_rules import commitment_rules
from costs.prices.override import Fixed


def at(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


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
