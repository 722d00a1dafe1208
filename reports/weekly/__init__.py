"""The weekly review: one page, always in the same order, as HTML, PDF and JSON."""

from reports.weekly.action import Action, ActionDraft, ActionError, Status
from reports.weekly.actions import actions_beside, add_action, change_action, read_actions
from reports.weekly.as_json import to_json
from reports.weekly.html import to_html
from reports.weekly.load import load_weekly
from reports.weekly.pdf import Paper, PdfError, to_pdf
from reports.weekly.review import WeeklyReview
from reports.weekly.sheet import Sheet, sheet_of
from reports.weekly.week import Week, WeekError, last_complete

__all__ = [
    "Action",
    "ActionDraft",
    "ActionError",
    "Paper",
    "PdfError",
    "Sheet",
    "Status",
    "Week",
    "WeekError",
    "WeeklyReview",
    "actions_beside",
    "add_action",
    "change_action",
    "last_complete",
    "load_weekly",
    "read_actions",
    "sheet_of",
    "to_html",
    "to_json",
    "to_pdf",
]
