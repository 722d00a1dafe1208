"""A review made by hand, for tests of what is made of one."""

import dataclasses
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from costs import TICKS_PER_USD, Components, Cost, Machine
from reports.figures import Facts, figures
from reports.weekly.action import Action, Status
from reports.weekly.bridge import Bridge, Driver, Mover
from reports.weekly.review import (
    Counted,
    Coverage,
    Freshness,
    MonthEnd,
    PartSum,
    Reconciliation,
    Stretch,
    WeeklyReview,
)
from reports.weekly.week import WEEK_US, Week
from store import DAY_US, Period

WEEK = Week(2026, 47)
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
# Bucket 460 is about 9 ms, 560 about 65 ms, 580 about 97 ms.
FAST, SLOW = 560, 580


def usd(amount: str) -> Fraction:
    """Return an amount in USD in ticks."""
    return Fraction(amount) * TICKS_PER_USD


def counted(
    spend: str,
    *,
    requests: int = 100_000,
    failures: int = 1_000,
    slowest: int = FAST,
    priced: bool = True,
    **more: Any,
) -> Counted:
    """Return a week that cost `spend` USD, all for machines, three quarters of it idle.

    `more` are other fields of it.
    """
    machine = usd(spend)
    successes = requests - failures
    latency = Counter({460: successes - successes // 20, slowest: successes // 20})
    cost = Cost(machine, machine / 4)
    facts = Facts(WEEK_US, requests, failures, +latency, WEEK_US, WEEK_US // 4, cost)
    parts = Components(compute=cost.direct, idle=cost.idle)
    return Counted(figures([facts]), parts if priced else None, **more)


def stretches(kind: str, number: int, length_us: int) -> tuple[Stretch, ...]:
    """Return `number` stretches up to the end of the week, of 1, 2, ... times 100 USD."""
    end_us = WEEK.period.to_us
    return tuple(
        Stretch(
            str(place + 1)[-1:],
            f"{kind}{place + 1}",
            Period(
                end_us - (number - place) * length_us, end_us - (number - place - 1) * length_us
            ),
            counted(str(100 * (place + 1))),
        )
        for place in range(number)
    )


BRIDGE = Bridge(
    before=usd("1100"),
    now=usd("1234.5"),
    drivers=(
        Driver("volume", "more or fewer requests", usd("98.125")),
        Driver("work", "work per request", usd("-12.125")),
        Driver("price", "price of machines", usd("48.5")),
    ),
)
MOVERS = (
    Mover("digits@2", usd("400"), usd("520.25"), "31.0% more requests"),
    Mover("letters@1", usd("0"), usd("60"), "new in this week"),
    Mover("digits@1", usd("45.75"), usd("0"), "no request any more"),
)
MONTH_END = MonthEnd(
    month=date(2026, 11, 1),
    spent=tuple(usd(str(170 * day)) for day in range(1, 23)),
    forecast_usd=Decimal("5200.00"),
    low_usd=Decimal("5050.00"),
    high_usd=Decimal("5400.00"),
    budget_usd=Decimal("5000.00"),
    earlier_usd=Decimal("5100.00"),
)
ACTIONS = (
    Action(
        "Turn the cache on",
        "Ada",
        date(2026, 11, 20),
        Decimal("1200.50"),
        Status.OPEN,
        id=1,
        created=date(2026, 11, 2),
        changed=date(2026, 11, 2),
    ),
    Action(
        "Retire digits@1",
        "Bo",
        date(2026, 12, 1),
        Decimal(300),
        Status.DONE,
        id=2,
        created=date(2026, 11, 2),
        changed=date(2026, 11, 18),
    ),
)
REVIEW = WeeklyReview(
    week=WEEK,
    ended=True,
    period=WEEK.period,
    now=counted("1234.5"),
    before=counted("1100", requests=90_000),
    p99_target_ms=80.0,
    days=stretches("day ", 14, DAY_US),
    weeks=stretches("W", 6, WEEK_US),
    months=stretches("month ", 12, 30 * DAY_US),
    freshness=Freshness(WEEK.period.to_us + DAY_US, 168, 0),
    coverage=Coverage(),
    reconciliation=Reconciliation(
        usd("1234.5"), (PartSum("days", 7, usd("1234.5")), PartSum("models", 3, usd("1234.5")))
    ),
    bridge=BRIDGE,
    movers=MOVERS,
    month_end=MONTH_END,
    actions=ACTIONS,
)


def review(**overrides: Any) -> WeeklyReview:
    """Return the review with `overrides` in place."""
    return dataclasses.replace(REVIEW, **overrides)


def first_week(**overrides: Any) -> WeeklyReview:
    """Return the review of a week without a predecessor, a forecast, actions or movers."""
    nothing: dict[str, Any] = {
        "before": None,
        "freshness": Freshness(WEEK.period.to_us + DAY_US, 168, 0, missing_before=168),
        "bridge": None,
        "movers": (),
        "month_end": None,
        "actions": (),
        "days": REVIEW.days[7:],
        "weeks": REVIEW.weeks[5:],
        "months": REVIEW.months[11:],
    }
    return review(**{**nothing, **overrides})


def empty_week(**overrides: Any) -> WeeklyReview:
    """Return the review of a week of which nothing is stored."""
    nothing: dict[str, Any] = {
        "now": None,
        "days": tuple(dataclasses.replace(day, counted=None) for day in REVIEW.days),
        "freshness": Freshness(WEEK.period.from_us - DAY_US, 168, 168),
        "reconciliation": Reconciliation(0, ()),
        "bridge": None,
        "movers": (),
        "month_end": None,
    }
    return review(**{**nothing, **overrides})
