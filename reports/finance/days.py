"""The days of a period as charge periods: cut where a price changes, paid up to the newest fact."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from costs.month import Month, start_us
from store import DAY_US, Period


@dataclass(frozen=True)
class Day:
    """A day, or a part of it with one price; `paid_to_us` is where what is known of it ends."""

    from_us: int
    to_us: int
    paid_to_us: int

    def overlap_us(self, from_us: int, to_us: int | None) -> int:
        """Return for how much of it, as far as it is paid for, something lasted."""
        end_us = self.paid_to_us if to_us is None else min(self.paid_to_us, to_us)
        return max(0, end_us - max(self.from_us, from_us))

    def months(self, from_us: int, to_us: int | None) -> Fraction:
        """Return the same as a part of the calendar month."""
        month = Month.at(self.from_us)
        length_us = start_us(month.end_day) - start_us(month.first_day)
        return Fraction(self.overlap_us(from_us, to_us), length_us)


def days_of(period: Period, changes: Iterable[int], paid_to_us: int) -> Iterator[Day]:
    """Yield the days of `period` up to the one that `paid_to_us` lies in."""
    edges = sorted(
        {
            *range(period.from_us, period.to_us, DAY_US),
            *(at for at in changes if period.from_us < at < period.to_us),
            period.to_us,
        }
    )
    for begin, end in pairwise(edges):
        if begin < paid_to_us:
            yield Day(begin, end, min(end, paid_to_us))
