"""What somebody promised to do about the cost, by when, and what it is to save."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from reports.errors import ReportError

LONGEST_TITLE = 200
LONGEST_OWNER = 80
LARGEST_SAVING_USD = Decimal(10) ** 12
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Line breaks and other controls; halves of characters.
_NO_TEXT = ("Cc", "Zl", "Zp", "Cs")
# A spreadsheet would take the rest for a formula.
_FORMULA = ("=", "+", "-", "@")


class ActionError(ReportError):
    """An action that cannot be kept; the message names the field and what is accepted."""


class Status(StrEnum):
    """How far an action is."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    DROPPED = "dropped"

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be done about it."""
        return self in (Status.DONE, Status.DROPPED)


@dataclass(frozen=True)
class ActionDraft:
    """What a person says of an action. Raises ActionError for a field that cannot be kept."""

    title: str
    owner: str
    due: date
    saving_usd_per_month: Decimal
    status: Status = Status.OPEN

    def __post_init__(self) -> None:
        _check_text("title", self.title, LONGEST_TITLE)
        _check_text("owner", self.owner, LONGEST_OWNER)
        usd = self.saving_usd_per_month
        exponent = usd.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -2 or not 0 <= usd <= LARGEST_SAVING_USD:
            raise ActionError(
                f"saving_usd_per_month is {usd}; accepted: 0 to {LARGEST_SAVING_USD:,f}, at most "
                "two decimals"
            )


@dataclass(frozen=True)
class Action(ActionDraft):
    """An action as it is kept: numbered from 1, with the days it was created and last changed."""

    id: int = 0
    created: date = date.min
    changed: date = date.min

    def overdue(self, day: date) -> bool:
        """Whether it should have been closed before `day` and is not."""
        return self.due < day and not self.status.closed


def parse_date(field: str, text: str) -> date:
    """Return the date that `text` spells as 2026-11-30. Raises ActionError."""
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise ActionError(f"{field} is {text[:40]!r}; accepted: a date like 2026-11-30") from None


def parse_usd(field: str, text: str) -> Decimal:
    """Return an amount in USD without a sign and with at most two decimals. Raises ActionError."""
    if not _AMOUNT.fullmatch(text):
        raise ActionError(
            f"{field} is {text[:40]!r}; accepted: USD like 1200 or 1200.50, without sign, comma "
            "or unit"
        )
    return Decimal(text)


def parse_number(text: str) -> int:
    """Return the number of an action. Raises ActionError."""
    if not _NUMBER.fullmatch(text):
        raise ActionError(f"id is {text[:40]!r}; accepted: a number from 1 to 999999999")
    return int(text)


def parse_status(text: str) -> Status:
    """Return the status of that name. Raises ActionError."""
    try:
        return Status(text)
    except ValueError:
        accepted = ", ".join(Status)
        raise ActionError(f"status is {text[:40]!r}; accepted: {accepted}") from None


def _check_text(field: str, text: str, longest: int) -> None:
    if not text:
        raise ActionError(f"{field} is empty; accepted: text of at most {longest} characters")
    if text != text.strip():
        raise ActionError(f"{field} is {text[:40]!r}; accepted: text without spaces around it")
    if len(text) > longest:
        raise ActionError(f"{field} has {len(text)} characters; accepted: at most {longest}")
    if any(unicodedata.category(character) in _NO_TEXT for character in text):
        raise ActionError(f"{field} is {text[:40]!r}; accepted: text on one line")
    if text.startswith(_FORMULA):
        raise ActionError(
            f"{field} is {text[:40]!r}; accepted: text that does not begin with "
            f"{' '.join(_FORMULA)}, which a spreadsheet takes for a formula"
        )
