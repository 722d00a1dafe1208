"""Months as bills have them."""

from datetime import date
from fractions import Fraction

import pytest

from costs.month import DAY_US, Month, MonthError, day_at, start_us


def test_a_month_knows_its_days_and_writes_itself_as_it_is_read() -> None:
    month = Month.parse("2026-12")
    assert (month.first_day, month.end_day, month.days) == (
        date(2026, 12, 1),
        date(2027, 1, 1),
        31,
    )
    assert Month.parse(str(month)) == month
    assert [Month(year, 2).days for year in (2026, 2028)] == [28, 29]
    assert Month.parse("2026-12") < Month.parse("2027-01")


def test_an_instant_lies_in_one_month_to_the_microsecond() -> None:
    begin = start_us(date(2026, 11, 1))
    assert (Month.at(begin - 1), Month.at(begin)) == (Month(2026, 10), Month(2026, 11))
    assert day_at(begin - 1) == date(2026, 10, 31)


def test_the_share_of_a_month_that_is_over_is_exact() -> None:
    month = Month(2026, 11)
    begin = start_us(month.first_day)
    assert month.elapsed(begin) == 0
    assert month.elapsed(begin + 10 * DAY_US) == Fraction(1, 3)
    assert month.elapsed(begin - 1) == 0
    assert month.elapsed(begin + 99 * DAY_US) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "26-11",
        "2026-1",
        "1999-12",
        "2100-01",
        "\u0662026-11",
        "2026-11-01",
    ],
)
def test_what_is_no_month_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(MonthError, match=r"accepted: .*2026-11"):
        Month.parse(text)
