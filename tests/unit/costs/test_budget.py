"""Budgets: exact against what is spent, honest about what is forecast."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.budget import Budget, BudgetError, BudgetStatus, Scope, State, require_one_each
from costs.forecast import DayCost, forecast_month
from costs.money import TICKS_PER_USD
from costs.month import DAY_US, Month, start_us
from costs.sharing import Sharing

NOVEMBER = Month(2026, 11)
EVERYTHING = Budget(Scope.EVERYTHING, Decimal(1000))


def status(
    usd_by_day: Sequence[int],
    budget: Budget = EVERYTHING,
    first: date = NOVEMBER.first_day,
    hours: int = 0,
) -> BudgetStatus:
    """Return the status at the end of the last of `usd_by_day`, or `hours` after it."""
    days = [
        DayCost(first + timedelta(n), Fraction(usd) * TICKS_PER_USD)
        for n, usd in enumerate(usd_by_day)
    ]
    as_of_us = start_us(first + timedelta(len(days))) + hours * DAY_US // 24
    return BudgetStatus(budget, forecast_month(days, as_of_us), days)


def test_burn_rate_is_what_a_person_works_out_by_hand() -> None:
    # 10 days at 50 USD: half of the budget after a third of the month.
    found = status([50] * 10)
    assert found.spent == 500 * TICKS_PER_USD
    assert found.spent_share == Fraction(1, 2)
    assert found.elapsed == Fraction(1, 3)
    assert found.burn_rate == Fraction(3, 2)
    assert found.left == 500 * TICKS_PER_USD
    assert found.crossed == (50,)
    assert status([50] * 10, hours=12).burn_rate == Fraction(1, 2) / Fraction(21, 60)


def test_the_first_instant_of_a_month_has_no_burn_rate() -> None:
    found = status([50] * 30)
    assert found.forecast.month == Month(2026, 12)
    assert (found.spent, found.burn_rate, found.crossed) == (0, None, ())


def test_a_tenth_of_a_cent_decides_and_no_float_does() -> None:
    third = Fraction(1000 * TICKS_PER_USD, 3)
    days = [DayCost(date(2026, 11, day), third) for day in (1, 2, 3)]
    exact = BudgetStatus(EVERYTHING, forecast_month(days, start_us(date(2026, 11, 4))), days)
    assert exact.spent_share == 1
    assert exact.crossed == (50, 80, 100)
    assert exact.state is State.UNKNOWN
    assert exact.exceeded_on is None
    days.append(DayCost(date(2026, 11, 4), 1))
    over = BudgetStatus(EVERYTHING, forecast_month(days, start_us(date(2026, 11, 5))), days)
    assert over.state is State.EXCEEDED
    assert over.left == -1
    assert over.exceeded_on == date(2026, 11, 4)


def test_the_day_on_which_it_was_exceeded_is_of_this_month_alone() -> None:
    found = status([900] * 31 + [300, 300, 300, 200], first=date(2026, 10, 1))
    assert found.forecast.month == NOVEMBER
    assert found.exceeded_on == date(2026, 11, 4)
    assert found.expected_on is None


def test_a_forecast_says_the_day_on_which_it_will_be_exceeded() -> None:
    # 100 days at 40 USD end on the 10th; 400 USD are spent, 1,000 are passed on the 26th.
    first = date(2026, 11, 11) - timedelta(100)
    found = status([40] * 100, first=first)
    assert found.state is State.WILL_EXCEED
    assert found.expected_on == date(2026, 11, 26)
    assert found.exceeded_on is None
    assert found.month_end is not None
    assert found.month_end.mid == pytest.approx(1200)
    enough = replace(found, budget=Budget(Scope.EVERYTHING, Decimal(1201)))
    assert (enough.state, enough.expected_on) == (State.WITHIN, None)


def test_what_is_within_p90_only_may_be_exceeded() -> None:
    first = date(2026, 11, 11) - timedelta(100)
    noisy = [40 + (7 * n * n) % 23 - 11 for n in range(100)]
    found = status(noisy, first=first)
    assert found.month_end is not None
    between = Decimal(round((found.month_end.mid + found.month_end.high) / 2, 2))
    assert found.month_end.mid < between < found.month_end.high
    at_risk = replace(found, budget=Budget(Scope.EVERYTHING, round(between, 2)))
    assert (at_risk.state, at_risk.expected_on) == (State.MAY_EXCEED, None)


def test_too_little_history_is_unknown_and_no_guess() -> None:
    found = status([10] * 10)
    assert (found.state, found.month_end, found.expected_on) == (State.UNKNOWN, None, None)


def test_a_budget_holds_in_its_months() -> None:
    budget = replace(EVERYTHING, first=NOVEMBER, last=Month(2027, 1))
    held = [budget.holds_in(Month(2026, 10)), budget.holds_in(NOVEMBER)]
    held += [budget.holds_in(Month(2027, 1)), budget.holds_in(Month(2027, 2))]
    assert held == [False, True, True, False]
    assert EVERYTHING.holds_in(Month(2000, 1))


def test_names_say_what_a_budget_is_for() -> None:
    usd = Decimal(1)
    names = [
        EVERYTHING.name,
        Budget(Scope.TENANT, usd, "shop").name,
        Budget(Scope.MODEL, usd, "digits").name,
        Budget(Scope.LABEL, usd, "checkout", "team").name,
    ]
    assert names == ["everything", "tenant shop", "model digits", "label team checkout"]


def test_two_budgets_of_one_thing_may_not_share_a_month() -> None:
    old = replace(EVERYTHING, last=NOVEMBER)
    require_one_each([old, replace(EVERYTHING, first=Month(2026, 12))])
    require_one_each([old, Budget(Scope.TENANT, Decimal(1), "shop")])
    for other in (EVERYTHING, replace(EVERYTHING, first=NOVEMBER), old):
        with pytest.raises(BudgetError, match="two budgets for everything share a month"):
            require_one_each([old, other])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"usd_per_month": Decimal(0)}, "usd_per_month is 0; accepted: above 0"),
        ({"usd_per_month": Decimal(-5)}, "usd_per_month is -5"),
        ({"usd_per_month": Decimal("NaN")}, "usd_per_month is NaN"),
        ({"usd_per_month": Decimal("Infinity")}, "usd_per_month is Infinity"),
        ({"usd_per_month": Decimal("1e12")}, "below 1,000,000,000,000"),
        ({"usd_per_month": Decimal("1e999999")}, "below 1,000,000,000,000"),
        ({"usd_per_month": Decimal("0.0000001")}, "at most 6 decimals"),
        ({"usd_per_month": Decimal("1e-999999")}, "at most 6 decimals"),
        ({"value": "shop"}, "value is 'shop'; accepted for this scope: nothing"),
        ({"scope": Scope.TENANT}, "value is empty"),
        ({"scope": Scope.TENANT, "value": " shop"}, "value is ' shop'"),
        ({"scope": Scope.TENANT, "value": "a\nb"}, r"value is 'a\\nb'"),
        ({"scope": Scope.TENANT, "value": "x" * 129}, "at most 128"),
        ({"scope": Scope.LABEL, "value": "checkout"}, "label is empty"),
        ({"scope": Scope.MODEL, "value": "m", "label": "team"}, "label is 'team'"),
        ({"first": Month(2026, 12), "last": NOVEMBER}, "to is 2026-11; accepted: 2026-12"),
        ({"thresholds": (80, 50)}, "thresholds_percent is '80 50'"),
        ({"thresholds": (50, 50)}, "each once"),
        ({"thresholds": (0, 50)}, "from 1 to 1000"),
        ({"thresholds": (1001,)}, "from 1 to 1000"),
        ({"idle": Sharing.EVEN}, "idle is 'even'; accepted: proportional, separate"),
        ({"idle": Sharing.SEPARATE}, "idle is 'separate'; accepted for everything: proportional"),
        ({"usd_per_month": Decimal(f"1.{'0' * 39}1")}, "at most 6 decimals"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BudgetError, match=complaint):
        Budget(**{"scope": Scope.EVERYTHING, "usd_per_month": Decimal(1), **wrong})


@given(
    ticks=st.lists(st.fractions(0, 10**22, max_denominator=10**9), min_size=1, max_size=30),
    cents=st.integers(1, 10**9),
)
def test_parts_of_a_month_add_up_exactly(ticks: list[Fraction], cents: int) -> None:
    days = [DayCost(date(2026, 11, 1) + timedelta(n), part) for n, part in enumerate(ticks)]
    budget = Budget(Scope.EVERYTHING, Decimal(cents) / 100)
    found = BudgetStatus(budget, forecast_month(days, start_us(date(2026, 12, 1)) - 1), days)
    assert found.spent == sum(ticks)
    assert found.spent + found.left == Fraction(cents, 100) * TICKS_PER_USD
    assert (found.exceeded_on is not None) == (found.spent > budget.ticks) == (found.left < 0)
    assert (100 in found.crossed) == (found.spent >= budget.ticks)
