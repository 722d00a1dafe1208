"""The five figures at the top of the review, the same ones every week."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter

from reports.change import (
    Polarity,
    points_change,
    relative_change,
)
from reports.formatting import DASH, count, duration_ms, percent, usd
from reports.tile import Detail, Tile
from reports.weekly.amount import spell_ticks, ticks_usd
from reports.weekly.review import Counted, MonthEnd, WeeklyReview

LOWER = Polarity.LOWER_IS_BETTER
OVER_DAYS = "The line is its course over the days of both weeks."

Figure = Callable[[Counted], float | None]
_SPEND: Figure = attrgetter("spend_usd")
_UNIT_COST: Figure = attrgetter("usd_per_1000")
_IDLE: Figure = attrgetter("idle_share")
_P99: Figure = attrgetter("figures.p99_ms")


@dataclass(frozen=True)
class WeeklyTiles:
    """A review read as tiles."""

    review: WeeklyReview

    def row(self) -> list[Tile]:
        """Return the five tiles in reading order."""
        return [
            self._spend(),
            self._unit_cost(),
            self._idle_share(),
            self._latency(),
            self._month_end(),
        ]

    def _trend(self, figure: Figure) -> list[float | None]:
        return [None if day.counted is None else figure(day.counted) for day in self.review.days]

    def _both(self, figure: Figure) -> tuple[float | None, float | None]:
        """Return a figure of this week and of the week before."""
        review = self.review
        return (
            None if review.now is None else figure(review.now),
            None if review.before is None else figure(review.before),
        )

    def _spend(self) -> Tile:
        now, before = self.review.spend, self.review.spend_before
        requests = self.review.now.figures.requests if self.review.now else 0
        return Tile(
            key="spend",
            label="Spend",
            value=spell_ticks(now),
            unit="USD",
            definition="Everything that was paid for in the week: machines, idle or not, network, "
            f"storage, caches and commitments. {OVER_DAYS}",
            change=relative_change(*self._both(_SPEND), LOWER),
            trend=self._trend(_SPEND),
            details=(
                Detail("week before", spell_ticks(before)),
                Detail("requests", count(requests)),
            ),
        )

    def _unit_cost(self) -> Tile:
        now, before = self._both(_UNIT_COST)
        found = self.review.now
        successes = found.figures.requests - found.figures.failures if found else 0
        return Tile(
            key="unit-cost",
            label="Cost per 1,000 requests",
            value=usd(now),
            unit="USD",
            definition="The spend divided by the successful requests, times 1,000. " + OVER_DAYS,
            change=relative_change(now, before, LOWER),
            trend=self._trend(_UNIT_COST),
            details=(Detail("week before", usd(before)), Detail("successful", count(successes))),
        )

    def _idle_share(self) -> Tile:
        now, before = self._both(_IDLE)
        cost = None if self.review.now is None else self.review.now.cost
        idle = DASH if cost is None else spell_ticks(cost.idle)
        return Tile(
            key="idle-share",
            label="Idle share",
            value=percent(now),
            unit="",
            definition="The part of the machine cost that no request used. " + OVER_DAYS,
            change=points_change(now, before, LOWER),
            trend=self._trend(_IDLE),
            details=(Detail("week before", percent(before)), Detail("idle cost, USD", idle)),
        )

    def _latency(self) -> Tile:
        now, before = self._both(_P99)
        value, unit = duration_ms(now)
        target = f"{self.review.p99_target_ms:g} ms"
        return Tile(
            key="latency-p99",
            label="Latency p99",
            value=value,
            unit=unit,
            definition="99 of 100 successful requests were answered within this time, from arrival "
            "to ready response. " + OVER_DAYS,
            change=relative_change(now, before, LOWER),
            trend=self._trend(_P99),
            details=(
                Detail("week before", " ".join(duration_ms(before)).strip()),
                Detail("target", target, self.review.p99_met),
            ),
        )

    def _month_end(self) -> Tile:
        found = self.review.month_end
        month: date = self.review.week.sunday if found is None else found.month
        forecast = None if found is None else found.forecast_usd
        earlier = None if found is None else found.earlier_usd
        return Tile(
            key="month-end",
            label=f"{month:%B}" if found is not None and found.over else f"{month:%B} forecast",
            value=usd(forecast),
            unit="USD",
            definition="What the whole month is forecast to cost, as of the end of the week; the "
            "change is against the forecast of the week before. The line is what was spent.",
            change=relative_change(_float(forecast), _float(earlier), LOWER),
            trend=[] if found is None else [ticks_usd(spent) for spent in found.spent],
            details=(Detail("likely", DASH), Detail("budget", DASH))
            if found is None
            else (_likely(found), _budget(found)),
        )


def _likely(found: MonthEnd) -> Detail:
    if found.low_usd is not None and found.high_usd is not None:
        return Detail("likely", f"{usd(found.low_usd)} to {usd(found.high_usd)}")
    if found.over:
        return Detail("month", "over")
    return Detail("history", f"{found.days_known} of {found.days_needed} days")


def _budget(found: MonthEnd) -> Detail:
    if found.budget_usd is None:
        return Detail("budget", "none set")
    return Detail("budget", usd(found.budget_usd), found.within)


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
