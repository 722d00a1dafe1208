"""The bridge and the trends of the weekly review as charts."""

import dataclasses

import pytest

from dashboard.charts.bridge import bridge_chart
from dashboard.charts.weeks_and_months import weeks_and_months
from reports.weekly import Bridge, Driver
from reports.weekly.sheet import bridge_rows
from tests.unit.reports.weekly.sample_review import BRIDGE, REVIEW, counted, usd


def test_the_bars_of_a_bridge_go_from_one_week_to_the_other() -> None:
    rows = bridge_rows(BRIDGE, ended=True)
    [waterfall] = bridge_chart(BRIDGE, rows).data
    assert list(waterfall.y) == [row.name for row in rows]
    assert list(waterfall.text) == [row.amount for row in rows]
    assert list(waterfall.measure) == ["absolute", *["relative"] * 3, "total"]
    assert sum(waterfall.x[:-1]) == pytest.approx(waterfall.x[-1])
    assert waterfall.x[-1] == 1234.5


def test_every_level_on_the_way_is_within_the_axis_even_below_zero() -> None:
    drivers = (Driver("a", "a", usd("-300")), Driver("b", "b", usd("500")))
    bridge = Bridge(usd("100"), usd("300"), drivers)
    figure = bridge_chart(bridge, bridge_rows(bridge, ended=True))
    low, high = figure.layout.xaxis.range
    assert low < -200
    assert high > 300


def test_weeks_and_months_stand_beside_each_other_faint_where_they_are_not_whole() -> None:
    running = dataclasses.replace(
        REVIEW.weeks[-1], whole=False, counted=counted("600", simulated=True)
    )
    weeks, months = weeks_and_months(
        (*REVIEW.weeks[:-1], running), REVIEW.months, lambda one: one.spend_usd, "USD", 80.0
    ).data
    assert (len(weeks.x), len(months.x)) == (6, 12)
    assert list(weeks.y) == [100, 200, 300, 400, 500, 600]
    assert list(weeks.marker.opacity[-2:]) == [1.0, 0.45]
    assert list(weeks.marker.pattern.shape[-2:]) == ["", "/"]
    assert list(weeks.customdata[-2:]) == ["", ", not whole, simulated"]
    figure = weeks_and_months(REVIEW.weeks, (), lambda _: None, "USD")
    assert list(figure.data[0].y) == [None] * 6
    assert not figure.layout.shapes
