"""What the month of a week is forecast to cost, as of the end of what is counted of the week."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from costs import PriceBook, to_usd
from costs.budget import Budget, Scope
from costs.forecast import DayCost, Forecast, forecast_month
from costs.month import Month, day_at, start_us
from reports.budgets.report import read_forecast
from reports.weekly.extent import Extent
from reports.weekly.review import MonthEnd
from store import Filter, Reader

WEEK = timedelta(days=7)


def read_month_end(
    connection: Reader, book: PriceBook, extent: Extent, budgets: Sequence[Budget], where: Filter
) -> MonthEnd | None:
    """Return the forecast of the month of the last day counted, beside the budget for everything.

    A month that is over then has no forecast any more, but its cost. Returns None where nothing is
    stored of the month.
    """
    last = day_at(extent.period.to_us - 1)
    end = last + timedelta(days=1)
    found = read_forecast(connection, book, end, where)
    if found is None:
        return None
    forecast, days = found
    month = Month.at(start_us(last))
    of_month = [day for day in days if month.first_day <= day.day < month.end_day]
    over = extent.period.to_us == start_us(month.end_day)
    if not of_month or (forecast.month != month and not over):
        return None
    spent = tuple(accumulate((day.ticks for day in of_month), initial=Fraction(0)))[1:]
    earlier = _forecast_before(days, end - WEEK)
    same_month = earlier is not None and earlier.month == month
    band = None if over else forecast.month_end
    return MonthEnd(
        month=month.first_day,
        spent=spent,
        forecast_usd=to_usd(spent[-1], 6) if over else _mid(forecast),
        low_usd=None if band is None else _usd(band.low),
        high_usd=None if band is None else _usd(band.high),
        budget_usd=_budget(budgets, month),
        earlier_usd=_mid(earlier) if same_month else None,
        over=over,
        days_known=forecast.days_known,
        days_needed=forecast.days_needed,
    )


def _forecast_before(days: Sequence[DayCost], end: date) -> Forecast | None:
    """Return the forecast that was to be made when the day before `end` was over."""
    known = [day for day in days if day.day < end]
    return forecast_month(known, start_us(end)) if known else None


def _mid(forecast: Forecast | None) -> Decimal | None:
    band = None if forecast is None else forecast.month_end
    return None if band is None else _usd(band.mid)


def _usd(amount: float) -> Decimal:
    """Return a figure of a forecast, which is no sum of money, to the digits that it has."""
    return Decimal(f"{amount:.6f}")


def _budget(budgets: Sequence[Budget], month: Month) -> Decimal | None:
    for budget in budgets:
        if budget.scope is Scope.EVERYTHING and budget.holds_in(month):
            return budget.usd_per_month
    return None
