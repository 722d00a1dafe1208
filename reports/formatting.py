"""Numbers, spans of time and instants as people read them, on every page and in every file.

None, where a denominator was zero, becomes a dash. Nothing but zero is ever shown as zero.
"""

import math
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

DASH = "\N{EN DASH}"
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
# Spans are told in hours up to two days: "36 h" says more than "1 d".
LONGEST_IN_HOURS_US = 2 * DAY_US
KIBI = 1024
TENTH = Decimal("0.1")


def significant(value: float | Decimal | None, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, thousands separated, never an exponent.

    Whole numbers beyond that precision keep all their digits: 12345.6 is "12,346".
    """
    if value is None or not math.isfinite(value):
        return DASH
    if value == 0:
        return "0"
    exact = Decimal(value)
    places = max(0, digits - 1 - exact.adjusted())
    return f"{round(exact, places):,f}"


def usd(value: float | Decimal | None) -> str:
    """Return an amount in USD without its unit: cents from 1 USD up, else four decimals or more.

    Four, as list prices are written; more where it takes more to show three digits that count.
    """
    if value is None or not math.isfinite(value):
        return DASH
    exact = Decimal(value)
    if abs(exact) >= 1:
        return f"{exact:,.2f}"
    return significant(exact) if abs(exact) < TENTH else f"{exact:.4f}"


def count(value: int) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,}"


def duration_ms(value_ms: float | None) -> tuple[str, str]:
    """Return a latency as (number, unit), the unit being ms or, from ten seconds on, s."""
    if value_ms is None:
        return DASH, ""
    if value_ms >= 10_000:
        return significant(value_ms / 1000), "s"
    return significant(value_ms), "ms"


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 in percent: three significant digits, at most two decimals."""
    if share is None or not math.isfinite(share):
        return DASH
    value = 100 * share
    if value == 0:
        return "0%"
    if 0 < abs(value) < 0.01:
        return "<0.01%" if value > 0 else ">-0.01%"
    # 99.96 % must not be rounded up to a whole that it is not.
    places = 2 if abs(value) < 10 or 99.9 < value < 100 else 1
    return f"{value:.{places}f}%"


def byte_size(size: int) -> str:
    """Return a number of bytes in its largest fitting unit of 1024: "1.50 MiB"."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < KIBI:
            break
        value, unit = value / KIBI, larger
    return f"{size} B" if unit == "B" else f"{significant(value)} {unit}"


def span(length_us: int) -> str:
    """Return how long something lasted in its largest fitting unit, rounded down: "3 h"."""
    if length_us < MINUTE_US:
        return f"{max(0, length_us) // SECOND_US} s"
    if length_us < HOUR_US:
        return f"{length_us // MINUTE_US} min"
    if length_us < LONGEST_IN_HOURS_US:
        return f"{length_us // HOUR_US} h"
    return f"{length_us // DAY_US} d"


def instant(at_us: int, zone: tzinfo) -> datetime:
    """Return the instant `at_us` (microseconds, UTC) as a time in `zone`, exactly."""
    seconds, micros = divmod(at_us, SECOND_US)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).astimezone(zone)


def time_of_day(at_us: int, zone: tzinfo, now_us: int) -> str:
    """Return the minute `at_us` falls in as people name it now: with its date unless today."""
    return _minute(at_us, zone, dated=not _today(at_us, zone, now_us))


def stretch(from_us: int, to_us: int, zone: tzinfo, now_us: int) -> str:
    """Return a stretch of time by its two ends, with dates unless all of it is today."""
    dated = not (_today(from_us, zone, now_us) and _today(to_us, zone, now_us))
    begin, end = (_minute(at_us, zone, dated=dated) for at_us in (from_us, to_us))
    return f"{begin} to {end}"


def _today(at_us: int, zone: tzinfo, now_us: int) -> bool:
    return instant(at_us, zone).date() == instant(now_us, zone).date()


def _minute(at_us: int, zone: tzinfo, *, dated: bool) -> str:
    return instant(at_us, zone).strftime("%d %b %Y, %H:%M" if dated else "%H:%M")
