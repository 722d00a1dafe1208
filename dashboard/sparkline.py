"""A series of values as a small line, drawn with CSS alone.

Streamlit strips SVG from HTML, and an image would be decoded anew, and flash, at every refresh.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

# The box a line is drawn in, about; it stretches with the tile and only the stroke suffers.
WIDTH_PX, HEIGHT_PX = 85.0, 30.0
HALF_STROKE_PX = 0.8
LONGEST_CORNER_PX = 1.6
# A wobble of less than a tenth is drawn as the wobble it is, not blown up to a mountain.
SMALLEST_EXTENT = 0.1

Point = tuple[float, float]


def clip_path(values: Sequence[float | None]) -> str | None:
    """Return a CSS `clip-path` that leaves a line through `values`, None for fewer than two.

    The line fills its box from the smallest value to the largest; a level series runs through the
    middle. A missing value is bridged.
    """
    points = _points(values)
    if len(points) < 2:
        return None
    above, below = [], []
    for place, (x, y) in enumerate(points):
        dx, dy = _corner(points[max(0, place - 1) : place + 2])
        above.append(f"{_at(x, WIDTH_PX, dx)} {_at(y, HEIGHT_PX, dy)}")
        below.append(f"{_at(x, WIDTH_PX, -dx)} {_at(y, HEIGHT_PX, -dy)}")
    return f"polygon({', '.join(above + below[::-1])})"


def _points(values: Sequence[float | None]) -> list[Point]:
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return []
    first, last = known[0][0], known[-1][0]
    low, high = min(value for _, value in known), max(value for _, value in known)
    extent = max(high - low, SMALLEST_EXTENT * max(abs(high), abs(low))) or 1.0
    middle = (high + low) / 2
    return [
        (
            WIDTH_PX * (place - first) / (last - first),
            HEIGHT_PX * (0.5 - 0.9 * (value - middle) / extent),
        )
        for place, value in known
    ]


def _corner(around: Sequence[Point]) -> Point:
    """Return how far the edge of the stroke lies from the middle one of `around`."""
    normals = [_normal(a, b) for a, b in pairwise(around)]
    x, y = sum(n[0] for n in normals), sum(n[1] for n in normals)
    length = math.hypot(x, y)
    if length == 0:
        return 0.0, -HALF_STROKE_PX
    # Where two segments meet at an angle the edge lies further out, as in a mitred frame.
    reach = min(HALF_STROKE_PX * len(normals) / length, LONGEST_CORNER_PX)
    return reach * x / length, reach * y / length


def _normal(a: Point, b: Point) -> Point:
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    return (b[1] - a[1]) / length, -(b[0] - a[0]) / length


def _at(position_px: float, box_px: float, offset_px: float) -> str:
    return f"calc({100 * position_px / box_px:.1f}% + {offset_px:.2f}px)"
