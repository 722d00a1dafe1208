"""The weekly review: one page, always in the same order, as HTML, PDF and JSON."""

from reports.weekly.action import Action, ActionDraft, ActionError, Status, parse_usd
from reports.weekly.actions import actions_beside, add_action, change_action, read_actions
from reports.weekly.amount import ticks_usd
from reports.weekly.as_json import to_json
from reports.weekly.bridge import Bridge, Driver, shown_drivers
from reports.weekly.html import to_html
from reports.weekly.load import load_weekly
from reports.weekly.pdf import Paper, PdfError, pdf_trouble, to_pdf
from reports.weekly.quality import WeeklyCheck
from reports.weekly.recorded import RecordedWeeks, load_recorded_weeks
from reports.weekly.review import Counted, Stretch, WeeklyReview
from reports.weekly.sheet import BridgeRow, MoverRow, Sheet, sheet_of
from reports.weekly.stretches import looked_back
from reports.weekly.week import Week, WeekError, last_complete

__all__ = [
    "Action",
    "ActionDraft",
    "ActionError",
    "Bridge",
    "BridgeRow",
    "Counted",
    "Driver",
    "MoverRow",
    "Paper",
    "PdfError",
    "RecordedWeeks",
    "Sheet",
    "Status",
    "Stretch",
    "Week",
    "WeekError",
    "WeeklyCheck",
    "WeeklyReview",
    "actions_beside",
    "add_action",
    "change_action",
    "last_complete",
    "load_recorded_weeks",
    "load_weekly",
    "looked_back",
    "parse_usd",
    "pdf_trouble",
    "read_actions",
    "sheet_of",
    "shown_drivers",
    "ticks_usd",
    "to_html",
    "to_json",
    "to_pdf",
]
