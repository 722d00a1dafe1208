"""Quantities in whole units, such that price x quantity is exact and nothing drifts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.finance.days import days_of
from reports.finance.metered import Meter, UnitPrice, metered_fields
from store import DAY_US, Period

# 2026-02-01, a month of 28 days.
FEBRUARY_US = 1_769_904_000_000_000


@pytest.mark.parametrize(
    ("micro_usd", "usd", "places"),
    [
        (90_000, "0.09", 6),
        (0, "0", 6),
        (Fraction(1, 8), "0.000000125", 3),
        (Fraction(1, 10**6), "0.000000000001", 0),
        (Fraction(1, 3), "0.000000333333", 0),
    ],
)
def test_a_price_leaves_the_decimals_that_a_cost_may_have(
    micro_usd: int | Fraction, usd: str, places: int
) -> None:
    found = UnitPrice.of(micro_usd)
    assert (found.usd, found.quantity_places) == (Decimal(usd), places)


@given(st.integers(0, 10**9), st.integers(0, 10**12))
def test_the_cost_is_the_product_of_price_and_quantity_in_twelve_decimals(
    micro_usd: int, units: int
) -> None:
    price = UnitPrice.of(Fraction(micro_usd, 1_000))
    fields = metered_fields(price, units, "GB")
    cost = fields["list_cost"]
    assert Fraction(cost) == Fraction(price.usd) * Fraction(fields["pricing_quantity"])
    assert cost == round(cost, 12)


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=1, max_size=5), max_size=30))
def test_bytes_of_many_days_never_drift(days: list[list[int]]) -> None:
    meter, price = Meter(), UnitPrice.of(90_000)
    units = [meter.shares("region", counts, 10**9, price) for counts in days]
    moved = sum(map(sum, days))
    assert abs(sum(map(sum, units)) - Fraction(moved, 1_000)) <= Fraction(1, 2)
    assert meter.exact_usd == Fraction(moved, 10**9) * Fraction(9, 100)


def test_days_are_cut_where_prices_change_and_end_with_the_facts() -> None:
    period = Period(FEBRUARY_US, FEBRUARY_US + 3 * DAY_US)
    change = FEBRUARY_US + DAY_US // 2
    paid_to = FEBRUARY_US + DAY_US + DAY_US // 4
    found = [
        (day.from_us - FEBRUARY_US, day.to_us - FEBRUARY_US, day.paid_to_us - FEBRUARY_US)
        for day in days_of(period, [0, change, period.to_us], paid_to)
    ]
    half = DAY_US // 2
    assert found == [
        (0, half, half),
        (half, DAY_US, DAY_US),
        (DAY_US, 2 * DAY_US, DAY_US + DAY_US // 4),
    ]


def test_a_day_of_february_is_a_28th_of_a_month() -> None:
    [day] = days_of(Period(FEBRUARY_US, FEBRUARY_US + DAY_US), [], FEBRUARY_US + DAY_US)
    assert day.months(0, None) == Fraction(1, 28)
    assert day.months(FEBRUARY_US + DAY_US // 2, None) == Fraction(1, 56)
    assert day.months(0, FEBRUARY_US + DAY_US // 4) == Fraction(1, 112)
    assert day.months(FEBRUARY_US + DAY_US, None) == 0
