"""The figures that answer "what will this month cost, and is that within what was agreed"."""

from costs import TICKS_PER_USD
from costs.backtest import Score
from costs.budget import State
from dashboard.budget_words import ticks_usd
from reports.budgets.report import BudgetReport
from reports.change import Change
from reports.formatting import DASH, count, percent, usd
from reports.tile import Detail, Tile

# Figures that are told without a change.
NO_CHANGE = Change("", "")
BAD = (State.EXCEEDED, State.WILL_EXCEED)
RECENT_DAYS = 7


def budget_tiles(report: BudgetReport) -> list[Tile]:
    """Return spent, forecast, budgets, the forecast's own score, anomalies."""
    return [
        _spent(report),
        _month_end(report),
        _budgets(report),
        _score(report),
        _anomalies(report),
    ]


def _spent(report: BudgetReport) -> Tile:
    month, whole = report.forecast.month, [day for day in report.days if day.whole]
    recent = [float(day.ticks) / TICKS_PER_USD for day in whole[-RECENT_DAYS:]]
    mean = sum(recent) / len(recent) if recent else None
    return Tile(
        key="month-spent",
        label=f"Spent in {month.first_day:%B}",
        value=ticks_usd(report.forecast.spent),
        unit="USD",
        definition="Everything that was paid for since the month began (UTC), exactly: machines, "
        "network, storage, caches and commitments.",
        change=NO_CHANGE,
        trend=[float(day.ticks) for day in whole[-28:]],
        details=(
            Detail("month over", percent(float(month.elapsed(report.forecast.as_of_us)))),
            Detail(f"a day, last {RECENT_DAYS}", f"{usd(mean)} USD"),
        ),
    )


def _month_end(report: BudgetReport) -> Tile:
    end = report.forecast.month_end
    return Tile(
        key="month-end",
        label="Forecast of the month's end",
        value=usd(None if end is None else end.mid),
        unit="USD",
        definition="What the whole month will have cost: what is spent, and a forecast of the "
        "rest from the last weeks and their weekdays. It is as likely to be more as to be less; "
        "8 of 10 such months end between P10 and P90.",
        change=NO_CHANGE,
        trend=[],
        details=(
            Detail("P10", f"{usd(None if end is None else end.low)} USD"),
            Detail("P90", f"{usd(None if end is None else end.high)} USD"),
        ),
    )


def _budgets(report: BudgetReport) -> Tile:
    states = [status.state for status in report.statuses]
    bad = sum(state in BAD for state in states)
    risky = states.count(State.MAY_EXCEED)
    return Tile(
        key="budgets-kept",
        label="Budgets of the month",
        value=count(len(states)) if states else DASH,
        unit="",
        definition="Budgets that hold in this month. One is missed where it is exceeded, or where "
        "the forecast says that it will be.",
        change=NO_CHANGE,
        trend=[],
        details=(
            Detail("missed", count(bad), None if not states else bad == 0),
            Detail("may be missed", count(risky)),
        ),
    )


def _score(report: BudgetReport) -> Tile:
    score = report.forecast.score
    return Tile(
        key="forecast-score",
        label="Forecasts that held",
        value=percent(None if score is None else score.coverage),
        unit="",
        definition="Of the forecasts that would have been made on earlier evenings for as many "
        "days, the share whose P10 to P90 held what became. 80% is meant; many more say that "
        "the range is too wide, fewer that it is too narrow. Neighbours overlap: the score rests "
        "on those that are apart from each other.",
        change=NO_CHANGE,
        trend=[],
        details=(
            Detail("off in the middle", percent(None if score is None else score.median_error)),
            Detail("judged", _judged(report.forecast.score)),
        ),
    )


def _judged(score: Score | None) -> str:
    if score is None or not score.past:
        return "none"
    return f"{count(len(score.past))}, about {count(score.apart)} apart"


def _anomalies(report: BudgetReport) -> Tile:
    found = report.anomalies.found
    return Tile(
        key="anomalies",
        label="Anomalies, six weeks",
        value=count(len(found)) if any(report.anomalies.cost.usual) else DASH,
        unit="",
        definition="Days on which cost, or the cost of a request, was far from what the days "
        "before led one to expect, weekday by weekday.",
        change=NO_CHANGE,
        trend=[],
        details=(Detail("newest", f"{found[0].day:%d %b}" if found else "none"),),
    )
