"""The line through a series of values, in the box of a sparkline."""

from collections.abc import Sequence

# A wobble of less than a tenth is drawn as the wobble it is, not blown up to a mountain.
SMALLEST_EXTENT = 0.1
# Of the height, for a line from the smallest value to the largest.
EXTENT = 0.9

Point = tuple[float, float]


def trend_line(values: Sequence[float | None], width: float, height: float) -> list[Point]:
    """Return the corners of a line through `values`, y downwards; none for fewer than two values.

    The line fills its box from the smallest value to the largest; a level series runs through the
    middle. A missing value is bridged.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return []
    first, last = known[0][0], known[-1][0]
    low, high = min(value for _, value in known), max(value for _, value in known)
    extent = max(high - low, SMALLEST_EXTENT * max(abs(high), abs(low))) or 1.0
    middle = (high + low) / 2
    return [
        (
            width * (place - first) / (last - first),
            height * (0.5 - EXTENT * (value - middle) / extent),
        )
        for place, value in known
    ]
