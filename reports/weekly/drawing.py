"""The geometry of the review's small pictures, which templates draw.

Every number is also in words: beside its bar of the bridge, in the label of a trend. Lengths are in
pixels of the picture's own box, y downwards, unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.palette import BLUISH_GREEN, GREY, VERMILLION
from reports.trend_line import Point, trend_line

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 96.0, 24.0, 3.0
# In percent of the width that there is.
LEAST_BAR = 0.5
COLUMN, GAP, COLUMNS_HEIGHT = 12.0, 2.5, 44.0
LEAST_COLUMN = 0.5
FAINT, OUTLINED = 0.45, 0.15
HEAD, FOOT = 10.0, 10.0
FONT_PX = 7.5
# Of a letter's height, what it is wide on average: to keep words within the picture.
LETTER_WIDTH = 0.56
# Values closer to each other than this would be written over each other.
CLOSE = 4


def spark_points(values: Sequence[float | None]) -> list[Point]:
    """Return the corners of a sparkline, the last one where its dot is; none for too few values."""
    inner = SPARK_WIDTH - 2 * SPARK_MARGIN, SPARK_HEIGHT - 2 * SPARK_MARGIN
    return [(x + SPARK_MARGIN, y + SPARK_MARGIN) for x, y in trend_line(values, *inner)]


@dataclass(frozen=True)
class Bar:
    """One bar of a bridge, in percent of its width."""

    left: float
    width: float
    color: str


def bridge_bars(before: float, changes: Sequence[float], now: float) -> list[Bar]:
    """Return the bars of a bridge: `before`, a bar for each of `changes`, `now`; on one scale.

    The scale holds zero and every level on the way, which may be below zero. More cost is red, less
    of it green.
    """
    levels = [before]
    for change in changes:
        levels.append(levels[-1] + change)
    low, high = min(0.0, now, *levels), max(0.0, now, *levels)
    scale = 100 / ((high - low) or 1.0)

    def bar(start: float, end: float, color: str) -> Bar:
        left, right = sorted(((start - low) * scale, (end - low) * scale))
        width = max(right - left, LEAST_BAR)
        return Bar(min(left, 100 - width), width, color)

    steps = [bar(a, b, VERMILLION if b > a else BLUISH_GREEN) for a, b in pairwise(levels)]
    return [bar(0.0, before, GREY), *steps, bar(0.0, now, GREY)]


@dataclass(frozen=True)
class Value:
    """What a column stands for; `value` is None where there is none, `words` what people read.

    `label` has room below the column, `name` is in full.
    """

    label: str
    name: str
    words: str
    value: float | None
    whole: bool = True
    simulated: bool = False

    @property
    def said(self) -> str:
        """Its name, value and what is to be known of it, for readers who cannot see."""
        notes = ["not whole"] if self.value is not None and not self.whole else []
        notes += ["simulated"] if self.simulated else []
        return f"{self.name} {self.words}" + (f" ({', '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Word:
    """A text whose middle is at `x` and whose base line is at `y`."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Column:
    """A column from the base line up: faint where its time is not whole, outlined if simulated."""

    x: float
    y: float
    height: float
    faint: bool
    outlined: bool

    @property
    def opacity(self) -> float:
        """How much of the background its fill covers."""
        if self.outlined:
            return OUTLINED
        return FAINT if self.faint else 1.0


@dataclass(frozen=True)
class Columns:
    """A chart of columns. `limit_y` is where its limit is, None without one."""

    label: str
    width: float
    columns: list[Column]
    words: list[Word]
    limit_y: float | None


def columns(title: str, values: Sequence[Value], limit: float | None = None) -> Columns:
    """Return `values` as columns from zero up, the highest and the last with their values.

    The label says all values, for readers who cannot see.
    """
    width = len(values) * COLUMN
    highest = max([limit or 0.0, *(value.value or 0.0 for value in values)]) or 1.0
    drawn, words = [], []
    for place, one in enumerate(values):
        if one.value is not None:
            height = max(COLUMNS_HEIGHT * one.value / highest, LEAST_COLUMN)
            left = place * COLUMN + GAP / 2
            top = HEAD + COLUMNS_HEIGHT - height
            drawn.append(Column(left, top, height, not one.whole, one.simulated))
        words.append(Word((place + 0.5) * COLUMN, HEAD + COLUMNS_HEIGHT + FOOT - 2, one.label))
    for place in _told(values):
        one = values[place]
        half = len(one.words) * FONT_PX * LETTER_WIDTH / 2
        x = min(max((place + 0.5) * COLUMN, half), width - half)
        # Above all columns: a higher one beside it, or the line of a limit, would run through it.
        words.append(Word(x, HEAD - 3, one.words))
    said = "; ".join(value.said for value in values)
    limit_y = None if limit is None else HEAD + COLUMNS_HEIGHT * (1 - limit / highest)
    return Columns(f"{title}: {said}", width, drawn, words, limit_y)


def _told(values: Sequence[Value]) -> list[int]:
    """Return which columns bear their value: the last, and the highest unless it is beside it."""
    known = [place for place, one in enumerate(values) if one.value is not None]
    if not known:
        return []
    highest = max(known, key=lambda place: (values[place].value or 0.0, place))
    return [known[-1]] if known[-1] - highest < CLOSE else [highest, known[-1]]
