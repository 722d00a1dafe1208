"""The stretches that trends are drawn from: days of both weeks, six weeks, twelve months."""

from datetime import UTC, datetime

from costs.month import Month, start_us
from reports.weekly.extent import Extent
from reports.weekly.review import Stretch
from reports.weekly.series import Series, days_within
from reports.weekly.week import Week
from store import DAY_US, Period

WEEKS, MONTHS = 6, 12


def looked_back(week: Week, to_us: int) -> Period:
    """Return the six weeks and twelve months that end with what is counted of `week`."""
    first_month = start_us(_months(to_us)[0].first_day)
    return Period(min(first_month, week.plus(1 - WEEKS).period.from_us), to_us)


def day_stretches(series: Series, extent: Extent) -> tuple[Stretch, ...]:
    """Return the whole days of the week before and of what is counted of this one."""
    week_before = Period(extent.week.plus(-1).period.from_us, extent.period.to_us)
    days = [day for day in days_within(week_before) if day.length_us == DAY_US]
    return tuple(
        _stretch(series, extent, f"{_date(day):%d}", f"{_date(day):%a %d %b}", day, day)
        for day in days
    )


def week_stretches(series: Series, extent: Extent) -> tuple[Stretch, ...]:
    """Return the six weeks that end with the one reviewed."""
    weeks = [extent.week.plus(place) for place in range(1 - WEEKS, 1)]
    return tuple(_week(series, extent, week) for week in weeks)


def month_stretches(series: Series, extent: Extent) -> tuple[Stretch, ...]:
    """Return the twelve months that end with that of the last instant counted."""
    found = []
    for month in _months(extent.period.to_us):
        full = Period(start_us(month.first_day), start_us(month.end_day))
        period = Period(full.from_us, min(full.to_us, extent.period.to_us))
        label, name = f"{month.first_day:%b}"[0], f"{month.first_day:%b %Y}"
        found.append(_stretch(series, extent, label, name, period, full))
    return tuple(found)


def _week(series: Series, extent: Extent, week: Week) -> Stretch:
    full = week.period
    period = Period(full.from_us, min(full.to_us, extent.period.to_us))
    return _stretch(series, extent, str(week.number), str(week), period, full)


def _stretch(
    series: Series, extent: Extent, label: str, name: str, period: Period, full: Period
) -> Stretch:
    whole = period == full and extent.whole(full)
    return Stretch(label, name, period, series.counted(period), whole)


def _months(to_us: int) -> list[Month]:
    last = Month.at(to_us - 1)
    numbers = range(12 * last.year + last.month - MONTHS, 12 * last.year + last.month)
    return [Month(number // 12, number % 12 + 1) for number in numbers]


def _date(day: Period) -> datetime:
    return datetime.fromtimestamp(day.from_us // 1_000_000, UTC)
