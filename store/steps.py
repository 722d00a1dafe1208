"""The parts of a query that cut a period into steps and find the prices in force in them.

Where minutes were rolled up into hours (see store/resolution.py), an hour stands at its beginning.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from store.period import DAY_US, Period

# Of a rollup: which step a row belongs to, and whether it is in the period at all.
STEP = "at_us - (at_us - $from) % $step"
IN_PERIOD = "at_us >= $from AND at_us < $to"


def rollup(kind: str, period: Period, step_us: int | None = None) -> str:
    """Return what to read sums of `kind` (usage, busy, latency, node) from.

    Days that lie in one step are read as days where they were rolled up so far, all else as hours.
    `step_us` is None for all of the period at once.
    """
    if all(edge % DAY_US == 0 for edge in (period.from_us, period.to_us, step_us or 0)):
        return f"{kind}_daily"
    first_us, end_us = -(-period.from_us // DAY_US) * DAY_US, period.to_us // DAY_US * DAY_US
    if first_us >= end_us or (step_us or period.length_us) < period.length_us:
        return f"{kind}_rollup"
    return f"""(
        FROM {kind}_rollup WHERE at_us < {first_us}
        UNION ALL BY NAME FROM {kind}_daily WHERE at_us >= {first_us} AND at_us < {end_us}
        UNION ALL BY NAME FROM {kind}_rollup WHERE at_us >= {end_us}
    )"""


def within(period: Period) -> dict[str, object]:
    """Return the parameters of IN_PERIOD."""
    return {"from": period.from_us, "to": period.to_us}


def by_step(period: Period, step_us: int) -> dict[str, object]:
    """Return the parameters of STEP and IN_PERIOD. Raises ValueError for a step below 1."""
    if step_us < 1:
        raise ValueError(f"step_us is {step_us}; accepted: 1 or more")
    return {**within(period), "step": step_us}


def price_begin(at: str, period: Period, changes: Sequence[int]) -> str:
    """Return SQL for the last of the price `changes` (ascending) before `at`, an instant in
    `period`; the first one for what lies before them all.
    """
    first = max(0, bisect_right(changes, period.from_us) - 1)
    begins = [at_us for at_us in changes[first:] if at_us < period.to_us] or [0]
    cases = "".join(f" WHEN {at} < {later} THEN {begin}" for begin, later in pairwise(begins))
    # Mostly none lies in the period, and then there is nothing to ask of each row.
    return f"CASE{cases} ELSE {begins[-1]} END" if cases else f"{begins[-1]}::BIGINT"


def priced_rollup(kind: str, period: Period, step_us: int, changes: Sequence[int]) -> str:
    """Return what `rollup` does, but no days where a price changes within one."""
    if any(at % DAY_US for at in changes if period.from_us < at < period.to_us):
        return f"{kind}_rollup"
    return rollup(kind, period, step_us)
