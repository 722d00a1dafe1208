"""The day that an `as_of` names: "2025-04-04", "2026-03", or "2026 (exact day unknown)"."""

import re
from datetime import UTC, date, datetime

SECOND_US = 1_000_000
FIRST_YEAR = 1970


def earliest_day(as_of: str) -> date | None:
    """Return the first day that `as_of` may mean: a day, a month or a year, then any words.

    None where it begins with none of them.
    """
    found = re.match(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?!\d)", as_of)
    if found is None:
        return None
    year, month, day = (int(part or 1) for part in found.groups())
    try:
        return date(year, month, day) if year >= FIRST_YEAR else None
    except ValueError:
        return None


def days_old(as_of: str, now_us: int) -> int | None:
    """Return how many days `as_of` lies before `now_us` (microseconds, UTC) at most.

    None where it names no day.
    """
    shown = earliest_day(as_of)
    today = datetime.fromtimestamp(now_us / SECOND_US, UTC).date()
    return None if shown is None else (today - shown).days
