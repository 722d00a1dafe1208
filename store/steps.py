"""The parts of a query that cut a period into steps and find the prices in force in them.

Where minutes were rolled up into hours (see store/resolution.py), an hour stands at its beginning.
"""

from bisect import bisect_right
from collections.abc import Sequence

from store.period import DAY_US, Period

# Of a rollup: which step a row belongs to, and whether it is in the period at all.
STEP = "at_us - (at_us - $from) % $step"
IN_PERIOD = "at_us >= $from AND at_us < $to"

# The last price change before a row.
PRICED_AT = "list_max(list_filter($changes, lambda begin: begin <= at_us))"


def rollup(kind: str, period: Period, step_us: int | None = None) -> str:
    """Return the view to read sums of `kind` (usage, busy, latency, node) from.

    Where whole days are asked for, older ones are read as days, else as hours. `step_us` is None
    for all of the period at once.
    """
    days = (period.from_us, period.to_us, step_us or 0)
    return f"{kind}_daily" if all(edge % DAY_US == 0 for edge in days) else f"{kind}_rollup"


def within(period: Period) -> dict[str, object]:
    """Return the parameters of IN_PERIOD."""
    return {"from": period.from_us, "to": period.to_us}


def by_step(period: Period, step_us: int) -> dict[str, object]:
    """Return the parameters of STEP and IN_PERIOD. Raises ValueError for a step below 1."""
    if step_us < 1:
        raise ValueError(f"step_us is {step_us}; accepted: 1 or more")
    return {**within(period), "step": step_us}


def priced(period: Period, changes: Sequence[int]) -> dict[str, object]:
    """Return the parameter of PRICED_AT: the price changes (ascending) that matter in `period`."""
    first = max(0, bisect_right(changes, period.from_us) - 1)
    return {"changes": [at for at in changes[first:] if at < period.to_us]}


def priced_rollup(kind: str, period: Period, step_us: int, changes: Sequence[int]) -> str:
    """Return what `rollup` does, but no days where a price changes within one."""
    if any(at % DAY_US for at in changes if period.from_us < at < period.to_us):
        return f"{kind}_rollup"
    return rollup(kind, period, step_us)
