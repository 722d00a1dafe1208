"""A series of values as a small line, drawn with CSS alone.

Streamlit strips SVG from HTML, and an image would be decoded anew, and flash, at every refresh.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from reports.trend_line import Point, trend_line

# The box a line is drawn in, about; it stretches with the tile and only the stroke suffers.
WIDTH_PX, HEIGHT_PX = 85.0, 30.0
HALF_STROKE_PX = 0.8
LONGEST_CORNER_PX = 1.6


def clip_path(values: Sequence[float | None]) -> str | None:
    """Return a CSS `clip-path` that leaves a line through `values`, None for fewer than two.

    The line fills its box from the smallest value to the largest; a level series runs through the
    middle. A missing value is bridged.
    """
    points = trend_line(values, WIDTH_PX, HEIGHT_PX)
    if len(points) < 2:
        return None
    above, below = [], []
    for place, (x, y) in enumerate(points):
        dx, dy = _corner(points[max(0, place - 1) : place + 2])
        above.append(f"{_at(x, WIDTH_PX, dx)} {_at(y, HEIGHT_PX, dy)}")
        below.append(f"{_at(x, WIDTH_PX, -dx)} {_at(y, HEIGHT_PX, -dy)}")
    return f"polygon({', '.join(above + below[::-1])})"


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
