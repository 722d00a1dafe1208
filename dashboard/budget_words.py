"""Budgets in words: how each stands, by word and by sign."""

from datetime import date
from html import escape

from costs import TICKS_PER_USD, Sharing, Ticks
from costs.backtest import Band, Score
from costs.budget import Budget, BudgetStatus, Scope, State
from costs.forecast import Forecast
from reports.formatting import DASH, count, percent, usd

# Disc, square, triangle: what tile.css draws before a promise.
SIGNS = {
    State.WITHIN: "promise met",
    State.MAY_EXCEED: "promise open",
    State.WILL_EXCEED: "promise missed",
    State.EXCEEDED: "promise missed",
    State.UNKNOWN: "",
}
WORDS = {state: state.value for state in State} | {State.UNKNOWN: "no forecast yet"}
DAY = "%d %b"


def ticks_usd(ticks: Ticks) -> str:
    """Return an amount of money spent, rounded for reading."""
    return usd(float(ticks) / TICKS_PER_USD)


def months_words(budget: Budget) -> str:
    """Return the months in which a budget holds; nothing for all of them."""
    if budget.first is None and budget.last is None:
        return ""
    if budget.first == budget.last:
        return str(budget.first)
    begin = "" if budget.first is None else f"from {budget.first}"
    end = "" if budget.last is None else f"to {budget.last}"
    return f"{begin} {end}".strip()


def idle_words(budget: Budget) -> str:
    """Return what of idle time is counted."""
    if budget.scope is Scope.EVERYTHING:
        return "all of it"
    return "its share" if budget.idle is Sharing.PROPORTIONAL else "left out"


def band_words(band: Band | None) -> str:
    """Return P50 and P10 to P90, or that there is none."""
    if band is None:
        return DASH
    return f"{usd(band.mid)} ({usd(band.low)} to {usd(band.high)})"


def thresholds_words(status: BudgetStatus) -> str:
    """Return the threshold reached last and the next one."""
    thresholds, crossed = status.budget.thresholds, status.crossed
    if not thresholds:
        return "none set"
    reached = f"{crossed[-1]}% reached" if crossed else ""
    following = f"next {thresholds[len(crossed)]}%" if len(crossed) < len(thresholds) else ""
    return ", ".join(filter(None, (reached, following)))


def state_html(status: BudgetStatus) -> str:
    """Return how a budget stands: a sign, a word, and the day it is about."""
    state = status.state
    word = WORDS[state]
    day = status.exceeded_on if state is State.EXCEEDED else status.expected_on
    about = "" if day is None else f" on {_day(day)}"
    if state is State.UNKNOWN:
        known, needed = status.forecast.days_known, status.forecast.days_needed
        about = f": {known} of {needed} days"
    return f'<span class="{SIGNS[state]}">{escape(word)}</span>{escape(about)}'


def score_words(forecast: Forecast) -> str:
    """Return how good the forecast would have been so far, in plain sight."""
    score = forecast.score
    if score is None:
        return (
            f"No forecast yet: {count(forecast.days_known)} whole days since the first cost are "
            f"known, {count(forecast.days_needed)} are needed."
        )
    wider = ""
    if forecast.judged_ahead < forecast.days_ahead:
        wider = (
            f" History judges {_days(forecast.judged_ahead)} ahead; for {forecast.days_ahead} the "
            "range is widened."
        )
    if score.coverage is None:
        return f"Of forecasts of {_days(score.days_ahead)} none can be judged yet.{wider}"
    held = sum(past.held for past in score.past)
    return (
        f"Asked on each of {count(len(score.past))} evenings before, a forecast of the "
        f"{_days(score.days_ahead)} after it would have been off by {percent(score.median_error)} "
        f"in the middle, and P10 to P90 would have held {count(held)} times, "
        f"{percent(score.coverage)}; 80% is meant.{wider} {_independent(score)}"
    )


def _independent(score: Score) -> str:
    return f"They overlap, and weigh as much as about {count(score.apart)} apart from each other."


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{count(days)} days"


def _day(day: date) -> str:
    return day.strftime(DAY)
