"""The month against its budgets: spent, forecast, and what was not as usual."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from costs import Machine, PriceBook, Sharing
from costs.anomaly import Anomalies
from costs.budget import Budget, BudgetStatus, Scope
from costs.forecast import DayCost, Forecast, forecast_month
from costs.month import Month, start_us
from reports.budgets.anomalies import read_anomalies
from reports.budgets.daily import (
    Day,
    Direct,
    Extent,
    extent_of,
    loaded,
    read_days,
    read_groups,
    source_of,
)
from reports.window import FRESH_US
from store import (
    EVERYTHING,
    By,
    ByLabel,
    Filter,
    Grouping,
    Period,
    Reader,
    open_reader,
    read_state,
)


@dataclass(frozen=True)
class BudgetReport:
    """Everything the Budgets page shows, as of the newest fact.

    `forecast` is that of everything, `days` what it is made of. `statuses` are the budgets of the
    month in the order of their file, `others` those of other months. `stale_us` is how long ago
    the newest fact was, 0 when the data is fresh. Machines and bytes without a price cost nothing
    in any figure.
    """

    extent: Extent
    stale_us: int
    forecast: Forecast
    days: list[DayCost]
    statuses: list[BudgetStatus]
    others: list[Budget]
    anomalies: Anomalies
    unpriced: tuple[Machine, ...]
    unpriced_bytes: tuple[str, ...]

    @property
    def period(self) -> Period:
        """The days that were looked at."""
        return self.extent.period

    @property
    def begins_late(self) -> bool:
        """Whether nothing is known of the beginning of the month."""
        return self.extent.covered[0] > start_us(self.forecast.month.first_day)


def load_budgets(
    database: Path,
    book: PriceBook,
    budgets: Sequence[Budget],
    now_us: int,
    where: Filter = EVERYTHING,
) -> BudgetReport | None:
    """Return the month of the newest fact against `budgets`; None while there is no fact.

    Of `where` counts only whether simulated runs do: a budget says itself what it is for.
    Raises StoreErrors.
    """
    with open_reader(database) as connection:
        where = Filter(simulated=where.simulated)
        state = read_state(connection, where)
        extent = extent_of(state)
        if extent is None:
            return None
        as_of_us = extent.covered[1]
        in_force = [budget for budget in budgets if budget.holds_in(Month.at(as_of_us))]
        source = source_of(connection, book, where)
        days = read_days(source, extent)
        groups = {
            by: read_groups(source, extent, by, values) for by, values in _values(in_force).items()
        }
        anomalies = read_anomalies(source, extent, days)
    everything = _costs(days)
    forecast = forecast_month(everything, as_of_us)
    stale_us = now_us - (state.last_fact_us or now_us)
    return BudgetReport(
        extent=extent,
        stale_us=stale_us if stale_us > FRESH_US else 0,
        forecast=forecast,
        days=everything,
        statuses=[_status(budget, days, groups, as_of_us) for budget in in_force],
        others=[budget for budget in budgets if not budget.holds_in(forecast.month)],
        anomalies=anomalies,
        unpriced=tuple(sorted(source.pricing.missing)),
        unpriced_bytes=tuple(sorted(source.bytes_at.missing)),
    )


def read_forecast(
    connection: Reader, book: PriceBook, end: date, where: Filter = EVERYTHING
) -> tuple[Forecast, list[DayCost]] | None:
    """Return the forecast that was to be made when the day before `end` was over, and its days.

    It is of the month of `end`, or, where nothing is stored that late, of that of the newest fact
    before it. Returns None where nothing is stored before `end`. Raises StoreErrors.
    """
    where = Filter(simulated=where.simulated)
    extent = extent_of(read_state(connection, where), end)
    if extent is None:
        return None
    days = _costs(read_days(source_of(connection, book, where), extent))
    return forecast_month(days, extent.covered[1]), days


def _values(budgets: Sequence[Budget]) -> dict[Grouping, list[str]]:
    """Return by grouping the values that there are budgets for."""
    found: dict[Grouping, list[str]] = {}
    for budget in budgets:
        by = _grouping(budget)
        if by is not None:
            found.setdefault(by, []).append(budget.value)
    return {by: sorted(set(values)) for by, values in found.items()}


def _grouping(budget: Budget) -> Grouping | None:
    match budget.scope:
        case Scope.EVERYTHING:
            return None
        case Scope.TENANT:
            return By.TENANT
        case Scope.MODEL:
            return By.MODEL
        case Scope.LABEL:
            return ByLabel(budget.label)


def _status(
    budget: Budget,
    days: list[Day],
    groups: Mapping[Grouping, Mapping[str | None, list[Direct]]],
    as_of_us: int,
) -> BudgetStatus:
    by = _grouping(budget)
    costs = _costs(days)
    if by is not None:
        direct = groups[by].get(budget.value, [Direct()] * len(days))
        shared = budget.idle is Sharing.PROPORTIONAL
        ticks = loaded(direct, days) if shared else [own.ticks for own in direct]
        costs = [DayCost(day.day, cost, _usual(day)) for day, cost in zip(days, ticks, strict=True)]
    return BudgetStatus(budget, forecast_month(costs, as_of_us), costs)


def _costs(days: Sequence[Day]) -> list[DayCost]:
    return [DayCost(day.day, day.charged, _usual(day)) for day in days]


def _usual(day: Day) -> bool:
    """Return whether a forecast may learn from `day`."""
    return day.whole and not day.before
