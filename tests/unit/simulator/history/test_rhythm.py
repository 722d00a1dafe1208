"""How many requests are expected when."""

import numpy as np
import pytest

from simulator.history import Phase, Stream
from simulator.history.rhythm import BIN_US, arrivals, expected_counts, relative_rate
from simulator.history.story import DAY_US, HOUR_US, WEEK_US, Rhythm
from tests.unit.simulator.history.small_story import MONDAY_US, QUICK

OFFICE = Rhythm((*(1.0,) * 8, *(9.0,) * 8, *(1.0,) * 8), 0.5)


def stream(growth: float = 0.0, rate: float = 0.1) -> Stream:
    return Stream(
        "shop", {}, (Phase(0, ((QUICK, 1.0),)),), rate=rate, growth=growth, rhythm=OFFICE,
        nodes=(("one", 1.0),),
    )  # fmt: skip


def rate_at(day: float, hour: float) -> float:
    return float(
        relative_rate(OFFICE, np.array([MONDAY_US + round(day * DAY_US + hour * HOUR_US)]))[0]
    )


def test_the_mean_over_a_week_is_one_and_weekends_are_quieter() -> None:
    week = MONDAY_US + np.arange(0, WEEK_US, BIN_US)
    assert relative_rate(OFFICE, week).mean() == pytest.approx(1.0)
    assert rate_at(0, 12) == pytest.approx(9 * rate_at(0, 3))
    assert rate_at(5, 12) == rate_at(6, 12) == pytest.approx(0.5 * rate_at(0, 12))
    # Half way between the middle of an hour and that of the next.
    assert rate_at(1, 8) == pytest.approx((rate_at(1, 7.5) + rate_at(1, 8.5)) / 2)


def test_the_first_week_has_the_rate_of_the_stream_and_later_ones_grow() -> None:
    def week(number: int, growth: float) -> float:
        start_us = MONDAY_US + number * WEEK_US
        return float(expected_counts(stream(growth), MONDAY_US, start_us, start_us + WEEK_US).sum())

    assert week(0, 0.0) == pytest.approx(0.1 * WEEK_US / 1e6)
    assert week(0, 0.1) == pytest.approx(0.1 * WEEK_US / 1e6, rel=0.01)
    assert week(3, 0.1) == pytest.approx(week(0, 0.1) * 1.1**3)
    assert week(20, 0.1) == week(40, 0.1), "nothing grows for ever"


def test_arrivals_are_sorted_in_their_stretch_and_about_as_many_as_expected() -> None:
    from_us, to_us = MONDAY_US + 5 * HOUR_US + 7, MONDAY_US + 2 * DAY_US + 11
    found = arrivals(np.random.default_rng(3), stream(rate=1.0), MONDAY_US, from_us, to_us)
    assert (np.diff(found) >= 0).all()
    assert from_us <= found[0]
    assert found[-1] < to_us
    expected = expected_counts(stream(rate=1.0), MONDAY_US, from_us, to_us).sum()
    assert len(found) == pytest.approx(expected, rel=0.05)


def test_no_time_no_arrivals() -> None:
    nothing = arrivals(np.random.default_rng(3), stream(), MONDAY_US, MONDAY_US, MONDAY_US)
    assert nothing.size == 0
