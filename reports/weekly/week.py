"""Weeks as ISO 8601 counts them, in UTC: Monday to Sunday, written 2026-W47.

The week with the year's first Thursday is its week 1, so a year has 52 or 53 of them, and the days
around New Year may belong to a week of the other year.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reports.errors import ReportError
from store import DAY_US, Period

WEEK_US = 7 * DAY_US
SECOND_US = 1_000_000
_SPELLING = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)
ACCEPTED = "accepted: a week like 2026-W47"
# Months, which forecasts are for, are those of a century; a review looks a year back.
FIRST_YEAR, LAST_YEAR = 2000, 2099
FIRST_REVIEWED, LAST_REVIEWED = 2001, 2098


class WeekError(ReportError):
    """What was given is no week of the calendar; the message says what is accepted."""


@dataclass(frozen=True, order=True)
class Week:
    """A week of the ISO calendar. Raises WeekError for a year or a number that there is not."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise WeekError(f"week is {self}; {ACCEPTED}, from {FIRST_YEAR} to {LAST_YEAR}")
        last = date(self.year, 12, 28).isocalendar().week
        if not 1 <= self.number <= last:
            raise WeekError(f"week is {self}; {ACCEPTED}: {self.year} has weeks 1 to {last}")

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Return the week with a review that `text` names as 2026-W47. Raises WeekError."""
        found = _SPELLING.fullmatch(text)
        if found is None:
            raise WeekError(f"week is {text[:40]!r}; {ACCEPTED}")
        if not FIRST_REVIEWED <= int(found[1]) <= LAST_REVIEWED:
            raise WeekError(f"week is {text}; {ACCEPTED}, from {FIRST_REVIEWED} to {LAST_REVIEWED}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, instant_us: int) -> "Week":
        """Return the week that an instant (microseconds, UTC) lies in."""
        year, number, _ = datetime.fromtimestamp(instant_us // SECOND_US, UTC).isocalendar()
        return cls(year, number)

    @property
    def monday(self) -> date:
        """The first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """The last day."""
        return self.monday + timedelta(days=6)

    @property
    def period(self) -> Period:
        """From Monday, 00:00 UTC, up to and not including the next Monday."""
        days = (self.monday - date(1970, 1, 1)).days
        return Period(days * DAY_US, days * DAY_US + WEEK_US)

    def plus(self, weeks: int) -> "Week":
        """Return the week `weeks` later, or earlier where it is negative. Raises WeekError."""
        year, number, _ = (self.monday + timedelta(weeks=weeks)).isocalendar()
        return Week(year, number)


def last_complete(now_us: int) -> Week:
    """Return the last week that has ended at `now_us` (microseconds, UTC)."""
    return Week.of(now_us).plus(-1)
