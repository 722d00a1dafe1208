"""Budgets and anomalies in words: the sign, the word, the day, the driver."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from costs import TICKS_PER_USD, Sharing
from costs.anomaly import Anomaly, Measure
from costs.anomaly_driver import Driver
from costs.budget import Budget, BudgetStatus, Scope
from costs.deviation import Usual
from costs.forecast import DayCost, forecast_month
from costs.month import Month, start_us
from dashboard.anomaly_words import day_words, driver_words, measure_words, usual_words
from dashboard.budget_words import (
    band_words,
    idle_words,
    months_words,
    score_words,
    state_html,
    thresholds_words,
)
from reports.budgets.anomalies import IDLE, PARTS

FIRST = date(2026, 8, 3)
END = date(2026, 11, 11)
EVERYTHING = Budget(Scope.EVERYTHING, Decimal(1000))


def status(usd: int, budget: Budget = EVERYTHING, first: date = FIRST) -> BudgetStatus:
    """Return the status on 11 November at 00:00 after days of `usd` each."""
    days = [DayCost(first + timedelta(n), usd * TICKS_PER_USD) for n in range((END - first).days)]
    return BudgetStatus(budget, forecast_month(days, start_us(END)), days)


@pytest.mark.parametrize(
    ("usd", "html"),
    [
        (30, '<span class="promise met">within</span>'),
        (40, '<span class="promise missed">will exceed</span> on 26 Nov'),
        (150, '<span class="promise missed">exceeded</span> on 07 Nov'),
    ],
)
def test_a_state_is_a_sign_a_word_and_a_day(usd: int, html: str) -> None:
    assert state_html(status(usd)) == html


def test_without_history_the_state_says_how_much_is_missing() -> None:
    early = status(10, first=END - timedelta(9))
    assert state_html(early) == '<span class="">no forecast yet</span>: 9 of 28 days'
    assert band_words(early.month_end) == "\N{EN DASH}"
    assert score_words(early.forecast) == (
        "No forecast yet: 9 whole days since the first cost are known, 28 are needed."
    )


def test_thresholds_say_the_one_reached_and_the_next() -> None:
    # 300 of 1,000 USD are spent.
    words = [
        thresholds_words(status(30, replace(EVERYTHING, thresholds=thresholds)))
        for thresholds in ((50, 80, 100), (20, 30, 100), (10, 25), ())
    ]
    assert words == ["next 50%", "30% reached, next 100%", "25% reached", "none set"]


def test_months_and_shared_cost_in_words() -> None:
    november, may = Month(2026, 11), Month(2027, 5)
    months = [
        months_words(replace(EVERYTHING, first=first, last=last))
        for first, last in ((None, None), (november, november), (november, may), (None, may))
    ]
    assert months == ["", "2026-11", "from 2026-11 to 2027-05", "to 2027-05"]
    shop = Budget(Scope.TENANT, Decimal(1), "shop")
    budgets = (EVERYTHING, shop, replace(shop, idle=Sharing.SEPARATE))
    assert [idle_words(b) for b in budgets] == ["all of it", "its share", "left out"]


def test_the_score_is_told_with_what_it_rests_on() -> None:
    # 100 days end on the 10th: 20 days to come. The last evening that 20 days followed was the
    # 80th, and by the 40th seven forecasts of 20 days had been put to the test.
    words = score_words(status(30).forecast)
    assert words.startswith("Asked on each of 41 evenings before, a forecast of the 20 days after")
    assert "P10 to P90 would have held 41 times, 100.0%; 80% is meant." in words
    assert "weigh as much as about 3 apart from each other" in words
    wider = score_words(status(30, first=END - timedelta(30)).forecast)
    assert "History judges 10 days ahead; for 20 the range is widened." in wider


SEEN = Anomaly(
    measure=Measure.COST,
    day=date(2026, 11, 9),
    last_day=date(2026, 11, 9),
    actual=20.0,
    usual=Usual(10.0, 8.0, 12.0),
    excess_usd=10.0,
    cost_change=1.0,
    requests_change=0.5,
    stays=False,
    running=False,
    driver=None,
)
DRIVER = Driver("model", "large", 9.0, 0.9, new=False, by_requests_usd=8.0, by_unit_cost_usd=1.0)


def driven(driver: Driver, seen: Anomaly = SEEN) -> str:
    return driver_words(replace(seen, driver=driver))


def test_the_days_of_an_anomaly_in_words() -> None:
    later = date(2026, 11, 11)
    assert [
        day_words(SEEN),
        day_words(replace(SEEN, last_day=later)),
        day_words(replace(SEEN, last_day=later, stays=True)),
        day_words(replace(SEEN, running=True)),
    ] == ["09 Nov", "09 Nov to 11 Nov", "since 09 Nov, by now the usual", "09 Nov, still running"]


def test_what_was_unusual_is_told_with_its_direction_and_range() -> None:
    assert measure_words(SEEN) == "\N{BLACK UP-POINTING TRIANGLE} cost"
    assert usual_words(SEEN) == "10.00 (8.00 to 12.00)"
    unit = replace(
        SEEN, measure=Measure.UNIT_COST, actual=0.001, usual=Usual(0.002, 0.0016, 0.0024)
    )
    assert measure_words(unit) == "\N{BLACK DOWN-POINTING TRIANGLE} cost per 1,000 requests"
    assert usual_words(unit) == "2.00 (1.60 to 2.40)"


def test_a_driver_is_named_with_its_part_and_its_cause() -> None:
    assert driven(DRIVER) == "model large: 90.0% of it, by more requests"
    dearer = replace(DRIVER, by_requests_usd=1.0, by_unit_cost_usd=8.0)
    assert driven(dearer) == "model large: 90.0% of it, by dearer requests"
    both = replace(DRIVER, by_requests_usd=4.5, by_unit_cost_usd=4.5)
    assert driven(both).endswith("50.0% by more requests, 50.0% by dearer requests")
    new = replace(DRIVER, new=True, share=1.2, by_requests_usd=None, by_unit_cost_usd=None)
    assert driven(new) == "model large, which is new: 100.0% of it"
    assert driven(replace(new, share=0.99999999)) == driven(new)
    assert driven(replace(new, new=False, value=None)) == "model none: 100.0% of it"
    idle = replace(new, dimension=PARTS, value=IDLE, new=False)
    assert driven(idle) == "idle machine time: 100.0% of it"


def test_a_drop_is_driven_by_fewer_or_cheaper_requests() -> None:
    drop = replace(DRIVER, excess_usd=-9.0, by_requests_usd=-8.0, by_unit_cost_usd=-1.0)
    assert driven(drop) == "model large: 90.0% of it, by fewer requests"
    cheaper = replace(drop, by_requests_usd=0.0, by_unit_cost_usd=-9.0)
    assert driven(cheaper) == "model large: 90.0% of it, by cheaper requests"


def test_missing_requests_are_told_as_such() -> None:
    driver = replace(DRIVER, in_requests=True, by_requests_usd=None, by_unit_cost_usd=None)
    fewer = replace(SEEN, measure=Measure.UNIT_COST, requests_change=-0.4)
    assert driven(driver, fewer) == "model large: 90.0% of the missing requests"
    assert driven(driver) == "model large: 90.0% of the additional requests"


def test_where_nothing_stands_out_the_changes_are_told() -> None:
    assert driver_words(SEEN) == "no slice stands out; cost +100.0%, requests +50.0%"
    unknown = replace(SEEN, requests_change=None, cost_change=-0.25)
    assert driver_words(unknown) == "no slice stands out; cost -25.0%, requests \N{EN DASH}"


def test_money_is_rounded_for_reading_only() -> None:
    third = replace(EVERYTHING, usd_per_month=Decimal("0.3"))
    found = status(0, third)
    assert found.left == Fraction(3, 10) * TICKS_PER_USD
