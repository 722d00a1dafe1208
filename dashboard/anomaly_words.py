"""An anomaly in words: when, what, how far from usual, and what drove it."""

from costs.anomaly import Anomaly, Measure
from costs.anomaly_driver import Driver
from reports.budgets.anomalies import PARTS
from reports.formatting import DASH, percent, usd

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
DAY = "%d %b"
NO_VALUE = "none"
# A cause of so much of what a slice did is named alone.
MOSTLY = 0.8


def day_words(seen: Anomaly) -> str:
    """Return the day, or the days, and whether it goes on."""
    first, last = (f"{day:{DAY}}" for day in (seen.day, seen.last_day))
    if seen.stays:
        return f"since {first}, by now the usual"
    days = first if seen.last_day == seen.day else f"{first} to {last}"
    return f"{days}, still running" if seen.running else days


def measure_words(seen: Anomaly) -> str:
    """Return what was not as usual, and in which direction."""
    arrow = UP if seen.actual > seen.usual.value else DOWN
    what = "cost" if seen.measure is Measure.COST else "cost per 1,000 requests"
    return f"{arrow} {what}"


def amount_words(seen: Anomaly, value: float) -> str:
    """Return one of the figures of `seen` as its measure has it."""
    return usd(value if seen.measure is Measure.COST else 1000 * value)


def usual_words(seen: Anomaly) -> str:
    """Return what is usual, and within what range."""
    usual = seen.usual
    low, high = amount_words(seen, usual.low), amount_words(seen, usual.high)
    return f"{amount_words(seen, usual.value)} ({low} to {high})"


def driver_words(seen: Anomaly) -> str:
    """Return what drove it: a slice with its part, or that none stands out."""
    if seen.driver is not None:
        return _slice_words(seen, seen.driver)
    return (
        f"no slice stands out; cost {_signed(seen.cost_change)}, "
        f"requests {_signed(seen.requests_change)}"
    )


def _slice_words(seen: Anomaly, driver: Driver) -> str:
    value = NO_VALUE if driver.value is None else driver.value
    name = value if driver.dimension == PARTS else f"{driver.dimension} {value}"
    if driver.new:
        name = f"{name}, which is new"
    # Without what floats lose, or all of it would be 100.00 %.
    share = percent(min(round(driver.share, 6), 1.0))
    if driver.in_requests:
        missing = (seen.requests_change or 0.0) < 0
        return f"{name}: {share} of the {'missing' if missing else 'additional'} requests"
    return f"{name}: {share} of it{_cause_words(driver)}"


def _cause_words(driver: Driver) -> str:
    by_requests, by_unit_cost = driver.by_requests_usd, driver.by_unit_cost_usd
    if by_requests is None or by_unit_cost is None or not driver.excess_usd:
        return ""
    more = "more requests" if by_requests > 0 else "fewer requests"
    dearer = "dearer requests" if by_unit_cost > 0 else "cheaper requests"
    share = by_requests / driver.excess_usd
    if share >= MOSTLY:
        return f", by {more}"
    if share <= 1 - MOSTLY:
        return f", by {dearer}"
    return f", {percent(share)} by {more}, {percent(1 - share)} by {dearer}"


def _signed(change: float | None) -> str:
    if change is None:
        return DASH
    return f"+{percent(change)}" if change > 0 else percent(change)
