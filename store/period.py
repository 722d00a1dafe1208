"""A stretch of time, cut into equal steps for a chart."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True)
class Period:
    """From `from_us` up to, not including, `to_us`; microseconds UTC, on whole minutes."""

    from_us: int
    to_us: int

    def __post_init__(self) -> None:
        for field in ("from_us", "to_us"):
            value = getattr(self, field)
            if value % MINUTE_US:
                raise ValueError(f"{field} is {value}; accepted: a multiple of {MINUTE_US}")
        if self.to_us <= self.from_us:
            raise ValueError(f"to_us is {self.to_us}; accepted: above from_us, {self.from_us}")

    @property
    def length_us(self) -> int:
        """How long the period is."""
        return self.to_us - self.from_us

    def before(self) -> "Period":
        """Return the period of the same length that ends where this one begins."""
        return Period(self.from_us - self.length_us, self.from_us)


def date_of(instant_us: int) -> date:
    """Return the day, in UTC, that an instant lies in."""
    return datetime.fromtimestamp(instant_us // 1_000_000, UTC).date()
