"""How fresh and whole the data of a week is, and whether its cost adds up."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from costs import Machine, Ticks, machine_cost
from reports.costs.slices import read_slices
from reports.health import PriceAge, price_age
from reports.weekly.bridge import Bridge
from reports.weekly.extent import Extent
from reports.weekly.review import Coverage, Freshness, PartSum, Reconciliation
from reports.weekly.series import Series, Source, days_within
from store import (
    HOUR_US,
    BootHealth,
    By,
    Period,
    gaps,
    read_boots,
    read_commit_minutes,
    read_dropped,
    read_series,
    read_uptimes,
)

SHARED = "idle and standing cost"
BESIDE = "network and standing cost"
WEEK_BEFORE = "the week before"


def read_freshness(source: Source, extent: Extent) -> Freshness:
    """Return how many hours of the period, and of the one before, have no fact at all."""
    hours = -(-extent.period.length_us // HOUR_US)
    missing, before = (
        hours - _hours_stored(source, period) for period in (extent.period, extent.before)
    )
    return Freshness(source.state.last_fact_us or 0, hours, missing, before)


def _hours_stored(source: Source, period: Period) -> int:
    connection, where = source.connection, source.where
    came = read_series(connection, period, HOUR_US, where=where)
    ran = read_uptimes(connection, period, HOUR_US, (0,), where=where)
    return len({at_us for at_us, _ in came} | {row.from_us for row in ran})


def read_coverage(source: Source, extent: Extent, week: Series) -> Coverage:
    """Return what the figures of `week`, which is the period in one step, leave out."""
    connection, period, where = source.connection, extent.period, source.where
    missing = gaps([boot for boot in read_boots(connection) if _active(boot, period)])
    return Coverage(
        missing_records=sum(boot.missing_before + boot.missing_within for boot in missing),
        dropped=tuple(read_dropped(connection, period, where=where)),
        rejected_lines=sum(minute.rejected for minute in read_commit_minutes(connection, period)),
        unmeasured_requests=week.unmeasured,
        unpriced=tuple(sorted(source.pricing.missing)),
        unpriced_bytes=tuple(sorted(source.bytes_at.missing)),
        old_prices=tuple(_old_prices(source, period)),
    )


def read_reconciliation(
    source: Source, extent: Extent, week: Series, days: Series, bridge: Bridge | None
) -> Reconciliation:
    """Return the cost of the period beside the sums of its parts, which are read anew.

    `week` is the period in one step, `days` has it step by step.
    """
    period = extent.period
    cost = week.cost(period)
    if not cost.total:
        return Reconciliation(0, ())
    by_day = [days.cost(day).total for day in days_within(period)]
    by_machine: dict[Machine, Ticks] = defaultdict(int)
    for row in week.uptimes:
        by_machine[row.time.machine] += machine_cost([row.time], source.pricing.rate)
    sums = [
        _sum(by_day, "day", "days"),
        _sum(_direct(source, period, By.MODEL), "model", "models", SHARED, cost.indirect),
        _sum(_direct(source, period, By.TENANT), "tenant", "tenants", SHARED, cost.indirect),
        _sum(
            by_machine.values(),
            "kind of machine",
            "kinds of machines",
            BESIDE,
            cost.total - cost.machine,
        ),
    ]
    if bridge is not None:
        changes = [driver.change for driver in bridge.drivers if driver.change]
        sums.append(_sum(changes, "driver", "drivers", WEEK_BEFORE, bridge.before))
    return Reconciliation(cost.total, tuple(sums))


def _direct(source: Source, period: Period, by: By) -> list[Ticks]:
    slices = read_slices(
        source.connection, period, (by,), source.pricing, source.bytes_at, source.where
    )
    return [one.direct for one in slices]


def _sum(found: Iterable[Ticks], one: str, many: str, beside: str = "", rest: Ticks = 0) -> PartSum:
    parts = list(found)
    name = one if len(parts) == 1 else many
    return PartSum(
        f"{name} with {beside}" if rest else name, len(parts), sum(parts, Fraction(0)) + rest
    )


def _active(boot: BootHealth, period: Period) -> bool:
    """Return whether a run of a node left facts in the period, as far as its ends tell."""
    first, last = boot.first_fact_us, boot.last_fact_us
    if first is None or last is None:
        return False
    return first < period.to_us and last >= period.from_us


def _old_prices(source: Source, period: Period) -> Iterable[PriceAge]:
    # No price needs to be renewed for machines that never ran.
    if source.where.simulated == ("yes",):
        return
    measured = replace(source.where, simulated=("no",))
    catalogue = source.pricing.catalogue
    ran = read_uptimes(
        source.connection, period, period.length_us, catalogue.changes(), where=measured
    )
    for machine in sorted({row.time.machine for row in ran}):
        age = price_age(catalogue, machine, period.to_us - 1)
        if age.price is not None and not age.good:
            yield age
