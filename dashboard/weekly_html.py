"""The words and tables of the weekly review as HTML; what comes from data is never markup."""

from collections.abc import Sequence
from html import escape

from dashboard.health_tables import table_html
from reports.weekly import Sheet, WeeklyCheck


def head_html(sheet: Sheet) -> str:
    """Return which days are counted, the headline, and what can be trusted."""
    return (
        f'<p class="status"><span>{escape(sheet.period)}</span></p>'
        f'<p class="week-headline" role="status">{escape(sheet.headline)}</p>'
        f'<table class="week-checks">{"".join(map(_check, sheet.checks))}</table>'
    )


# The mark of simulated history is for all that the page shows, twelve months: where both weeks were
# measured, it is not of what is said of them alone. A forecast rests on more than two weeks.
MEASURED_WEEKS = """<style>
.stApp .st-key-weekly-tiles .tile:not([data-figure="month-end"]) h3::after,
.stApp .st-key-week-bridge h2.section small:not(:empty)::after,
.stApp .st-key-weekly-tables h2.section small:not(:empty)::after { content: none; }
</style>"""


def movers_html(sheet: Sheet) -> str:
    """Return the table of what changed most."""
    rows = [(row.name, row.before, row.now, row.change, row.cause) for row in sheet.movers]
    header = ("Model:", "Week before", "This week", "Change", "Cause:")
    return table_html(header, rows, sheet.no_movers)


def actions_html(sheet: Sheet) -> str:
    """Return the table of actions."""
    rows: Sequence[Sequence[str]] = [
        (
            str(row.action.id),
            row.action.title,
            row.action.owner,
            f"{row.action.due}{' overdue' if row.overdue else ''}",
            row.saving,
            row.action.status.value,
        )
        for row in sheet.actions
    ]
    header = ("No", "Action:", "Owner:", "Due:", "USD a month", "Status:")
    table = table_html(header, rows, "No action is noted.")
    if not rows:
        return table
    return f'{table}<p class="status">Expected to save {sheet.savings} USD a month once done.</p>'


def _check(check: WeeklyCheck) -> str:
    verdict = "met" if check.good else "missed"
    return (
        f'<tr data-check="{check.key}"><th scope="row"><span class="promise {verdict}">'
        f"{escape(check.name)}</span></th><td>{escape(check.text)}</td></tr>"
    )
