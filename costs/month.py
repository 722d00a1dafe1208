"""A month of the calendar, in UTC: what bills and budgets are for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

DAY_US = 86_400_000_000
FIRST_YEAR, LAST_YEAR = 2000, 2099


class MonthError(ValueError):
    """A text that names no month; the message names it and says what is accepted."""


@dataclass(frozen=True, order=True)
class Month:
    """A month; raises MonthError outside the years 2000 to 2099. As text it is like 2026-11."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (FIRST_YEAR <= self.year <= LAST_YEAR and 1 <= self.month <= 12):
            raise MonthError(
                f"month is {self}; accepted: {FIRST_YEAR}-01 to {LAST_YEAR}-12, as in 2026-11"
            )

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Return the month that a text like 2026-11 names. Raises MonthError."""
        year, _, month = text.partition("-")
        digits = year.isascii() and year.isdigit() and month.isascii() and month.isdigit()
        if not digits or (len(year), len(month)) != (4, 2):
            raise MonthError(f"month is {text!r}; accepted: a year and a month, as in 2026-11")
        return cls(int(year), int(month))

    @classmethod
    def at(cls, instant_us: int) -> "Month":
        """Return the month that an instant (microseconds, UTC) lies in."""
        day = day_at(instant_us)
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def end_day(self) -> date:
        """The first day of the month after it."""
        years, month = divmod(self.month, 12)
        return date(self.year + years, month + 1, 1)

    @property
    def days(self) -> int:
        """How many days it has: 28 to 31."""
        return (self.end_day - self.first_day).days

    def elapsed(self, instant_us: int) -> Fraction:
        """Return the share of the month, 0 to 1, that is over at an instant."""
        passed = Fraction(instant_us - start_us(self.first_day), self.days * DAY_US)
        return max(Fraction(0), min(Fraction(1), passed))


def day_at(instant_us: int) -> date:
    """Return the day that an instant (microseconds, UTC) lies in."""
    return date(1970, 1, 1) + timedelta(instant_us // DAY_US)


def start_us(day: date) -> int:
    """Return the instant (microseconds, UTC) at which a day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
