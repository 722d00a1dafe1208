"""What time alone costs, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from costs import (
    TICKS_PER_USD,
    AtRest,
    BytePrice,
    Commitment,
    Machine,
    Transfer,
    cache_cost,
    commitment_use,
    storage_cost,
    transfer_cost,
)
from costs.resources import CacheService

HOUR_US = 3_600_000_000
GB = 10**9
RESERVED = Machine("aws", "us-east-1", "c7i.xlarge", "reserved")
ON_DEMAND = replace(RESERVED, purchase_option="on_demand")


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def usd(ticks: int | Fraction) -> Fraction:
    return Fraction(ticks, TICKS_PER_USD)


# 10 GB at three cents: 0.30 USD a month, whichever it is.
TEN_GB = AtRest("m", "aws", "us-east-1", "c", 10 * GB, at(2020, 1, 1))


def three_cents(*_: object) -> BytePrice:
    return BytePrice(30_000, GB)


@pytest.mark.parametrize(
    ("begin", "end", "months"),
    [
        (at(2026, 2, 1), at(2026, 3, 1), Fraction(1)),
        (at(2026, 2, 1), at(2026, 2, 2), Fraction(1, 28)),
        (at(2028, 2, 29), at(2028, 3, 1), Fraction(1, 29)),
        (at(2026, 4, 30), at(2026, 5, 2), Fraction(1, 30) + Fraction(1, 31)),
        # An hour on each side of the turn of a year.
        (at(2026, 12, 31, 23), at(2027, 1, 1, 1), Fraction(2, 31 * 24)),
        # A day of an hour more in Berlin is a day here.
        (at(2026, 10, 25), at(2026, 10, 26), Fraction(1, 31)),
        (at(2026, 1, 1), at(2027, 1, 1), Fraction(12)),
        (at(2026, 1, 1), at(2026, 1, 1), Fraction(0)),
        (at(2026, 1, 2), at(2026, 1, 1), Fraction(0)),
    ],
)
def test_a_gb_month_is_a_month_of_the_calendar(begin: int, end: int, months: Fraction) -> None:
    cost = storage_cost(TEN_GB, three_cents, [0], begin, end)
    assert usd(cost) == months * Fraction(3, 10)


def test_bytes_cost_from_when_to_when_they_lie_there_at_the_price_of_each_day() -> None:
    change = at(2026, 11, 21)

    def dearer(_cloud: str, _region: str, _class: str, at_us: int) -> BytePrice:
        return BytePrice(60_000 if at_us >= change else 30_000, GB)

    stored = replace(TEN_GB, from_us=at(2026, 11, 16), to_us=at(2026, 11, 26))
    # Five days at 0.30 USD a month, five at 0.60.
    cost = storage_cost(stored, dearer, [0, change], at(2026, 1, 1), at(2027, 1, 1))
    assert usd(cost) == Fraction(5, 30) * Fraction(9, 10)
    own = replace(stored, price=BytePrice(1_000_000, GB))
    assert usd(storage_cost(own, dearer, [0, change], at(2026, 1, 1), at(2027, 1, 1))) == (
        Fraction(10, 30) * 10
    )


def test_a_service_costs_by_the_hour_it_runs() -> None:
    redis = CacheService("redis", "aws", "us-east-1", 68_000, at(2026, 1, 1, 6), at(2026, 1, 2))
    assert usd(cache_cost(redis, at(2026, 1, 1), at(2026, 2, 1))) == 18 * Fraction(68, 1000)
    assert cache_cost(redis, at(2026, 1, 2), at(2026, 2, 1)) == 0


def test_a_commitment_is_used_or_lost_hour_by_hour_and_dearer_beyond_it() -> None:
    begin = at(2026, 1, 1)
    two = Commitment("ri", RESERVED, 2, 1, begin, at(2027, 1, 1), 100_000, 0)
    # Three machines in the first hour, none in the second, one for half of the third.
    ran = {(RESERVED, begin): 3 * HOUR_US, (RESERVED, begin + 2 * HOUR_US): HOUR_US // 2}

    def rate(machine: Machine, _at_us: int) -> int:
        return {RESERVED: 100_000, ON_DEMAND: 178_500}[machine]

    [use] = commitment_use([two], ran, rate, begin, begin + 3 * HOUR_US)
    assert (use.committed_us, use.covered_us, use.excess_us) == (
        6 * HOUR_US,
        2 * HOUR_US + HOUR_US // 2,
        HOUR_US,
    )
    assert usd(use.paid) == Fraction(60, 100)
    assert usd(use.unused) == Fraction(35, 100)
    # A machine for an hour, at the price on demand instead of the commitment's.
    assert usd(use.excess) == Fraction(785, 10_000)
    # What the bill has: the commitment, and an hour on demand.
    machines = Fraction(35, 10) * Fraction(1, 10)
    assert machines + usd(use.unused + use.excess) == Fraction(6, 10) + Fraction(1785, 10_000)


def test_of_an_hour_that_is_not_over_no_more_is_lost_than_is_over() -> None:
    begin = at(2026, 1, 1)
    one = Commitment("ri", RESERVED, 1, 1, begin, at(2027, 1, 1), 100_000, 0)
    ran = {(RESERVED, begin): HOUR_US // 3}
    [use] = commitment_use([one], ran, lambda *_: 100_000, begin, begin + HOUR_US // 3)
    assert (use.unused, use.excess) == (0, 0)
    assert usd(use.paid) == Fraction(1, 30)


def test_bytes_are_priced_by_their_unit_and_direction() -> None:
    moved = Transfer("aws", "us-east-1", 0, received_bytes=3 * 2**30, sent_bytes=5 * GB)
    cost = transfer_cost(
        [moved, moved], lambda *_: (BytePrice(10_000, 2**30), BytePrice(90_000, GB))
    )
    assert usd(cost) == 2 * (Fraction(3, 100) + Fraction(45, 100))
