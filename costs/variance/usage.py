"""What one model (or tenant, region, ...) did in one period, and what that cost."""

from dataclasses import dataclass
from fractions import Fraction

from costs.checks import check_number, check_whole
from costs.money import Ticks


@dataclass(frozen=True)
class Usage:
    """Requests, the worker time they kept busy, the worker time provided for them, and its cost.

    `busy_us` and `provisioned_us` are worker-microseconds, `cost` is in ticks with idle time in it.
    Numbers are exact: int or Fraction, 0 or more. Raises ValueError for any other, and for busy
    time with a cost for which no time was provided.
    """

    requests: int
    busy_us: Ticks
    provisioned_us: Ticks
    cost: Ticks

    def __post_init__(self) -> None:
        check_whole("requests", self.requests)
        for field in ("busy_us", "provisioned_us", "cost"):
            check_number(field, getattr(self, field))
        if self.busy_us and self.cost and not self.provisioned_us:
            raise ValueError(
                f"provisioned_us is 0, busy_us is {self.busy_us}, cost is {self.cost}; "
                "accepted: above 0 where busy time has a cost"
            )

    @property
    def absent(self) -> bool:
        """Whether there was nothing of it: all zero."""
        return not (self.requests or self.busy_us or self.provisioned_us or self.cost)

    @property
    def regular(self) -> bool:
        """Whether it has every factor of cost: requests, work, provided time and a price."""
        return bool(self.requests and self.busy_us and self.provisioned_us and self.cost)

    @property
    def work_us(self) -> Fraction | None:
        """Busy worker-microseconds per request, None without requests."""
        return Fraction(self.busy_us) / self.requests if self.requests else None

    @property
    def utilization(self) -> Fraction | None:
        """Busy time as a part of the provided time, None where none was provided."""
        return Fraction(self.busy_us) / self.provisioned_us if self.provisioned_us else None

    @property
    def price(self) -> Fraction | None:
        """Ticks per provided worker-microsecond, which is micro-USD per worker-hour."""
        return Fraction(self.cost) / self.provisioned_us if self.provisioned_us else None


NO_USAGE = Usage(0, 0, 0, 0)
