"""ISO weeks: year edges, week 53, and everything that is no week."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.weekly.week import WEEK_US, Week, WeekError, last_complete
from store import DAY_US

FULLWIDTH_7 = "\N{FULLWIDTH DIGIT SEVEN}"


def us(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def test_a_week_runs_from_monday_to_the_next_in_utc() -> None:
    week = Week.parse("2026-W47")
    assert (week.monday, week.sunday) == (date(2026, 11, 16), date(2026, 11, 22))
    assert week.period.from_us == us(2026, 11, 16)
    assert week.period.to_us == us(2026, 11, 23)
    assert str(week) == "2026-W47"


@pytest.mark.parametrize(
    ("instant", "week"),
    [
        ((2025, 12, 28, 23, 59, 59), "2025-W52"),
        ((2025, 12, 29, 0, 0, 0), "2026-W01"),
        ((2026, 12, 31, 12, 0, 0), "2026-W53"),
        ((2027, 1, 3, 23, 59, 59), "2026-W53"),
        ((2027, 1, 4, 0, 0, 0), "2027-W01"),
        ((2021, 1, 1, 0, 0, 0), "2020-W53"),
    ],
)
def test_days_around_new_year_belong_to_the_week_with_their_thursday(
    instant: tuple[int, ...], week: str
) -> None:
    assert str(Week.of(us(*instant))) == week


def test_week_53_is_followed_by_week_1() -> None:
    last = Week.parse("2026-W53")
    assert str(last.plus(1)) == "2027-W01"
    assert str(last.plus(1).plus(-1)) == "2026-W53"


@pytest.mark.parametrize(
    "text",
    ["", "2026-47", "2026-W7", "2026-w47", "2026W47", " 2026-W47", "2026-W47\n", "2026-W00",
     "2025-W53", "2026-W54", "0000-W01", "9999-W10", "2000-W52", "2099-W01",
     f"2026-W4{FULLWIDTH_7}", "last", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_week_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(WeekError, match="accepted: a week like 2026-W47") as refused:
        Week.parse(text)
    assert len(str(refused.value)) < 120


def test_the_refusal_of_a_week_53_says_how_many_weeks_the_year_has() -> None:
    with pytest.raises(WeekError, match="2025 has weeks 1 to 52"):
        Week.parse("2025-W53")


@pytest.mark.parametrize(
    ("now", "week"),
    [((2026, 11, 23, 0, 0, 0), "2026-W47"), ((2026, 11, 22, 23, 59, 59), "2026-W46")],
)
def test_the_last_complete_week_has_ended(now: tuple[int, ...], week: str) -> None:
    assert str(last_complete(us(*now))) == week


@given(st.dates(date(2001, 1, 8), date(2098, 12, 1)))
def test_every_day_is_in_its_week_and_in_no_other(day: date) -> None:
    at_us = (day - date(1970, 1, 1)).days * DAY_US
    week = Week.of(at_us)
    assert week.period.from_us <= at_us < week.period.to_us
    assert week.period.length_us == WEEK_US
    assert week.monday.weekday() == 0
    assert week.monday + timedelta(days=day.weekday()) == day
    assert Week.parse(str(week)) == week
    assert week.plus(1).period.from_us == week.period.to_us
