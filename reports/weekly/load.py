"""The review of a week, read from the database in one go."""

from collections.abc import Sequence
from pathlib import Path

from costs import PriceBook
from costs.budget import Budget
from reports.byte_pricing import BytePricing
from reports.pricing import Pricing
from reports.targets import Targets
from reports.weekly.action import Action
from reports.weekly.causes import read_causes
from reports.weekly.checks import read_coverage, read_freshness, read_reconciliation
from reports.weekly.extent import extent_of
from reports.weekly.month_end import read_month_end
from reports.weekly.review import WeeklyReview
from reports.weekly.series import Source, days_of, read_at_once, read_series
from reports.weekly.stretches import (
    day_stretches,
    looked_back,
    month_stretches,
    week_stretches,
)
from reports.weekly.week import Week
from store import DAY_US, EVERYTHING, Filter, open_reader, read_state


def load_weekly(
    database: Path,
    book: PriceBook,
    targets: Targets,
    week: Week,
    now_us: int,
    actions: Sequence[Action] = (),
    budgets: Sequence[Budget] = (),
    where: Filter = EVERYTHING,
) -> WeeklyReview | None:
    """Return the review of `week` as of `now_us`, None when the database holds no fact yet.

    `now_us` only says whether the week has ended. Of `where` counts what it says of machines.
    Raises StoreErrors.
    """
    with open_reader(database) as connection:
        state = read_state(connection, where)
        extent = extent_of(week, state, now_us)
        if extent is None:
            return None

        def source() -> Source:
            # What has no price in another stretch is nothing that this week leaves out.
            return Source(
                connection, state, Pricing(book.machines), BytePricing(book), where.machines()
            )

        of_week = source()
        this = read_at_once(of_week, extent, extent.period)
        before = read_at_once(source(), extent, extent.before) if extent.comparable else None
        back = looked_back(week, extent.period.to_us)
        start_us = max(back.from_us, extent.covered[0] // DAY_US * DAY_US)
        start_us = min(start_us, extent.period.from_us)
        days = read_series(source(), extent, days_of(start_us, extent.period.to_us))
        now = this.counted(extent.period)
        earlier = None if before is None else before.counted(extent.before)
        bridge, movers = read_causes(of_week, extent, earlier, now)
        return WeeklyReview(
            week=week,
            ended=extent.ended,
            period=extent.period,
            now=now,
            before=earlier,
            p99_target_ms=targets.latency_ms.p99,
            days=day_stretches(days, extent),
            weeks=week_stretches(days, extent),
            months=month_stretches(days, extent),
            freshness=read_freshness(of_week, extent),
            coverage=read_coverage(of_week, extent, this),
            reconciliation=read_reconciliation(of_week, extent, this, days, bridge),
            bridge=bridge,
            movers=movers,
            month_end=read_month_end(connection, book, extent, budgets, where.machines()),
            actions=_shown(actions, week),
        )


def _shown(actions: Sequence[Action], week: Week) -> tuple[Action, ...]:
    """Return what is still to be done, then what was closed in the week or since, first due first.

    What was closed before is history.
    """
    kept = [a for a in actions if not a.status.closed or a.changed >= week.monday]
    return tuple(sorted(kept, key=lambda a: (a.status.closed, a.due, a.id)))
