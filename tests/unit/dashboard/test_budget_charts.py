"""Charts of the Budgets page: what is spent is a line, what is forecast is dotted and shaded."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from costs import TICKS_PER_USD
from costs.anomaly import Use, find_anomalies
from costs.forecast import DayCost, Forecast, forecast_month
from costs.month import DAY_US, start_us
from dashboard.charts.month_outlook import month_outlook
from dashboard.charts.usual_range import usual_range

FIRST = date(2026, 8, 3)


def at(month: int, day: int, hour: int = 0) -> datetime:
    """Return an instant as plotly draws it: a wall clock without a zone."""
    return datetime(2026, month, day, hour, tzinfo=UTC).replace(tzinfo=None)


def days_of(usd: list[int], first: date = FIRST) -> list[DayCost]:
    return [DayCost(first + timedelta(n), each * TICKS_PER_USD) for n, each in enumerate(usd)]


def outlook(days: int, hours: int = 0, first: date = FIRST) -> tuple[Forecast, list[DayCost]]:
    """Return the forecast `hours` after so many days of 10 USD."""
    costs = days_of([10] * days, first)
    as_of_us = start_us(first + timedelta(days)) + hours * DAY_US // 24
    if hours:
        costs.append(DayCost(first + timedelta(days), 2 * TICKS_PER_USD, whole=False))
    return forecast_month(costs, as_of_us), costs


def trace(figure: go.Figure, name: str) -> go.Scatter:
    [found] = [each for each in figure.data if each.name == name]
    return found


def test_spent_ends_where_facts_end_and_the_forecast_goes_on_from_there() -> None:
    # 92 days end on 2 November; of the 3rd, 12 hours are known.
    forecast, days = outlook(92, hours=12)
    figure = month_outlook(forecast, days, Decimal(400))
    spent, mid = trace(figure, "Spent"), trace(figure, "Forecast P50, with P10 to P90")
    assert list(spent.y) == pytest.approx([0, 10, 20, 22])
    assert (spent.x[0], spent.x[-1]) == (at(11, 1), at(11, 3, 12))
    assert (mid.x[0], mid.y[0]) == (spent.x[-1], spent.y[-1])
    assert (mid.x[-1], mid.y[-1]) == (at(12, 1), pytest.approx(297))
    assert (spent.line.dash, mid.line.dash) == (None, "dot")
    low, high = trace(figure, "Forecast P10"), trace(figure, "Forecast P90")
    assert all(a <= b <= c for a, b, c in zip(low.y, mid.y, high.y, strict=True))
    assert list(trace(figure, "Budget").y) == [400, 400]
    assert list(trace(figure, "Budget, spent evenly").y) == [0, 400]


def test_without_history_or_budget_only_what_is_spent_is_drawn() -> None:
    forecast, days = outlook(5, first=date(2026, 11, 10))
    figure = month_outlook(forecast, days, None)
    assert [each.name for each in figure.data] == ["Spent"]
    assert figure.data[0].x[0] == at(11, 10)
    assert figure.layout.xaxis.range == (at(11, 1), at(12, 1))


def test_the_first_instant_of_a_month_has_nothing_spent_yet() -> None:
    forecast, days = outlook(90)
    figure = month_outlook(forecast, days, None)
    assert list(trace(figure, "Spent").y) == [0]
    assert trace(figure, "Forecast P50, with P10 to P90").y[-1] == pytest.approx(300)


def test_days_are_drawn_beside_their_usual_range_and_anomalies_are_marked() -> None:
    usd = [10] * 80
    usd[60], usd[70] = 30, 2
    found = find_anomalies(FIRST, Use([float(each) for each in usd]), {})
    figure = usual_range(days_of(usd), found)
    assert len(trace(figure, "Cost of the day").x) == 42
    marked = trace(figure, "Anomaly")
    newest, oldest = FIRST + timedelta(70), FIRST + timedelta(60)
    assert (list(marked.x), list(marked.y)) == ([newest, oldest], [2, 30])
    assert list(trace(figure, "Usual range").y) == pytest.approx([11.5] * 42)
    assert list(marked.marker.symbol) == ["triangle-down", "triangle-up"]


def test_a_range_begins_where_it_is_known_and_no_day_is_no_chart() -> None:
    usd = [10] * 30
    found = find_anomalies(FIRST, Use([float(each) for each in usd]), {})
    figure = usual_range(days_of(usd), found)
    known = [value is not None for value in trace(figure, "Usual range").y]
    assert known == [False] * 28 + [True] * 2
    assert "Anomaly" not in [each.name for each in figure.data]
    usual_range([], find_anomalies(FIRST, Use([]), {}))


def test_a_day_that_still_runs_is_no_drop_of_the_line() -> None:
    days = [*days_of([10] * 40), DayCost(FIRST + timedelta(40), TICKS_PER_USD, whole=False)]
    found = find_anomalies(FIRST, Use([10.0] * 40 + [1.0]), {}, running=True)
    figure = usual_range(days, found)
    line, part = trace(figure, "Cost of the day"), trace(figure, "Known in part")
    assert (line.y[-2], line.y[-1]) == (10, None)
    assert (list(part.x), list(part.y)) == ([FIRST + timedelta(40)], [1])
