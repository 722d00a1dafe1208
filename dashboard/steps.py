"""The steps of an overview that say something: a step hardly begun would draw a false dip."""

from reports import Figures, Overview

Step = tuple[int, Figures]
ENOUGH_US = 15_000_000


def drawable_steps(overview: Overview, step_us: int) -> list[Step]:
    """Return the steps whose rates can be drawn: covered for 15 seconds, or all there are."""
    return [
        (start, figures)
        for start, figures in overview.steps
        if _overlap_us(overview, start, start + step_us) >= ENOUGH_US
    ] or overview.steps


def covered_us(overview: Overview) -> int:
    """Return how much of the period shown the data covers."""
    return _overlap_us(overview, overview.period.from_us, overview.period.to_us)


def _overlap_us(overview: Overview, from_us: int, to_us: int) -> int:
    """Return how much of a stretch lies between the first fact stored and the last."""
    first, last = overview.state.first_fact_us, overview.state.last_fact_us
    if first is None or last is None:
        return 0
    return max(0, min(to_us, last) - max(from_us, first))
