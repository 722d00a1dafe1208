"""The forecast of the month in a review, and what it has cost once it is over."""

from decimal import Decimal
from pathlib import Path

from costs import to_usd
from costs.budget import Budget, Scope
from reports.weekly import Week
from reports.weekly.headline import headline
from store import DAY_US, HOUR_US
from tests.integration.weekly_review import END_US, MICRO_USD_PER_HOUR, WEEK, review
from tests.weeks_of_facts import commit_hours


def test_the_forecast_of_a_steady_month_is_what_it_will_cost(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    commit_hours(database, WEEK.plus(-5).period.from_us, END_US, requests=0)
    budgets = [Budget(Scope.EVERYTHING, Decimal(130)), Budget(Scope.TENANT, Decimal(1), "shop")]
    found = review(database, budgets=budgets)
    assert found.month_end is not None
    # 0.1785 USD an hour, 720 hours in November, 552 of them until the week is over.
    assert found.month_end.forecast_usd == Decimal("128.520000")
    assert found.month_end.earlier_usd == Decimal("128.520000")
    assert to_usd(found.month_end.spent[-1]) == Decimal("0.1785") * 23 * 24
    assert len(found.month_end.spent) == 23
    assert found.month_end.within is True
    assert "November is forecast to end at 128.52 USD, 1.48 USD under its budget" in headline(found)
    tight = review(database, budgets=[Budget(Scope.EVERYTHING, Decimal(128))])
    assert tight.month_end is not None
    assert tight.month_end.within is False
    # Two weeks earlier there was too little to forecast from.
    young = review(database, WEEK.plus(-3)).month_end
    assert young is not None
    assert (young.forecast_usd, young.days_known) == (None, 21)
    assert young.spent[-1] == 2 * 24 * HOUR_US * MICRO_USD_PER_HOUR


def test_a_month_that_ends_with_the_week_is_told_as_what_it_cost(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    last = WEEK.plus(1)
    commit_hours(database, last.period.from_us, last.period.to_us + DAY_US, requests=0)
    found = review(database, last, last.period.to_us + 2 * DAY_US)
    assert found.month_end is not None
    assert found.month_end.over
    assert found.month_end.forecast_usd == Decimal("29.988")
    assert "November ended at 29.99 USD, with no budget set" in headline(found)


def test_a_month_is_not_over_on_its_last_day(tmp_path: Path) -> None:
    database = tmp_path / "usage.duckdb"
    june = Week(2025, 27)
    # A Monday, the last of June, at 06:00.
    to_us = june.period.from_us + 6 * HOUR_US
    commit_hours(database, june.plus(-6).period.from_us, to_us, requests=0)
    running = review(database, june, to_us)
    assert running.month_end is not None
    assert not running.month_end.over
    assert "June is forecast to end at 128.52 USD, with no budget set" in headline(running)
    commit_hours(database, to_us, to_us + 18 * HOUR_US, requests=0)
    over = review(database, june, to_us + 18 * HOUR_US)
    assert "June ended at 128.52 USD" in headline(over)
