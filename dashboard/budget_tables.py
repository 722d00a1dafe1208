"""What the Budgets page lists, as HTML: names come from data and are never markup."""

from collections.abc import Sequence
from html import escape

from costs.anomaly import Anomalies
from costs.backtest import Past, Score
from costs.budget import Budget, BudgetStatus
from costs.deviation import LEAST_DAYS
from dashboard.anomaly_words import (
    amount_words,
    day_words,
    driver_words,
    measure_words,
    usual_words,
)
from dashboard.budget_words import (
    band_words,
    idle_words,
    months_words,
    state_html,
    thresholds_words,
    ticks_usd,
)
from dashboard.health_tables import table_html
from reports.formatting import DASH, percent, usd

MOST_PAST = 14
NO_BUDGET = (
    "No budget holds in this month. Below you can add one, for everything, a tenant, a model or "
    "a label such as a team."
)

TOO_EARLY = (
    f"No day can be judged yet: what is usual is learnt from the {LEAST_DAYS} days before a day."
)


def budgets_html(statuses: Sequence[BudgetStatus]) -> str:
    """Return the budgets of the month, in the order of their file."""
    if not statuses:
        return f'<p class="status">{escape(NO_BUDGET)}</p>'
    header = (
        ("Budget for", True),
        ("State", True),
        ("USD a month", False),
        ("Spent", False),
        ("of it", False),
        ("Burn rate", False),
        ("Forecast of its end: P50 (P10 to P90)", False),
        ("Left", False),
        ("Thresholds", True),
        ("Idle time", True),
    )
    heads = "".join(f'<th scope="col"{_class(word)}>{escape(name)}</th>' for name, word in header)
    rows = "".join(f"<tr>{_budget_cells(status)}</tr>" for status in statuses)
    return (
        '<div class="wide"><table class="facts budgets">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def others_html(budgets: Sequence[Budget]) -> str:
    """Return the budgets of other months."""
    rows = [(b.name, f"{b.usd_per_month:,f}", months_words(b)) for b in budgets]
    return table_html(("Budget for:", "USD a month", "Months:"), rows, "")


def anomalies_html(anomalies: Anomalies) -> str:
    """Return the anomalies, newest first."""
    if not any(anomalies.cost.usual):
        return f'<p class="status">{escape(TOO_EARLY)}</p>'
    rows = [
        (
            day_words(seen),
            measure_words(seen),
            driver_words(seen),
            amount_words(seen, seen.actual),
            usual_words(seen),
            usd(seen.excess_usd),
        )
        for seen in anomalies.found
    ]
    header = ("Day (UTC):", "What:", "Driver:", "USD", "Usually", "More than usual, USD")
    return table_html(header, rows, "Nothing out of the usual in the last six weeks.")


def past_html(score: Score) -> str:
    """Return the newest forecasts that were put to the test."""
    rows = [_past_row(past) for past in score.past[: -MOST_PAST - 1 : -1]]
    header = (
        "Evening of:",
        f"Said of the {score.days_ahead} days after it: P50 (P10 to P90)",
        "Became",
        "Off by",
        "Within P10 to P90:",
    )
    return table_html(header, rows, "None yet.")


def _budget_cells(status: BudgetStatus) -> str:
    budget, burn = status.budget, status.burn_rate
    months = months_words(budget)
    name = escape(budget.name) + (f" <small>{escape(months)}</small>" if months else "")
    return "".join(
        f"<td{_class(word)}>{cell}</td>"
        for cell, word in (
            (name, True),
            (state_html(status), True),
            (usd(float(budget.usd_per_month)), False),
            (ticks_usd(status.spent), False),
            (escape(percent(float(status.spent_share))), False),
            (DASH if burn is None else f"{float(burn):.2f}", False),
            (band_words(status.month_end), False),
            (ticks_usd(status.left), False),
            (thresholds_words(status), True),
            (idle_words(budget), True),
        )
    )


def _past_row(past: Past) -> tuple[str, ...]:
    off = abs(past.said.mid - past.became) / past.became if past.became else None
    return (
        f"{past.day:%d %b %Y}",
        band_words(past.said),
        usd(past.became),
        percent(off),
        "yes" if past.held else "no",
    )


def _class(word: bool) -> str:
    return ' class="words"' if word else ""
