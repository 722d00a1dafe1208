"""How a figure changed against the window before, and whether that is good news."""

from dataclasses import dataclass
from enum import Enum

from reports.formatting import significant

# Smaller changes are shown but not judged: they are noise more often than news. A share must move
# by a tenth of itself, or of what is missing to the whole: 98 % idle is 2 % used.
RELATIVE_NOISE = 0.01
POINTS_NOISE = 0.1
SHARE_NOISE = 0.1

UP, DOWN, LEVEL = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}", "="


class Polarity(Enum):
    """Which direction of change is the better one."""

    LOWER_IS_BETTER = -1
    NEUTRAL = 0
    HIGHER_IS_BETTER = 1


class Verdict(Enum):
    """What a change means to the reader; the value is the word shown beside it."""

    BETTER = "better"
    WORSE = "worse"
    NEUTRAL = ""


@dataclass(frozen=True)
class Change:
    """An arrow, an amount and a verdict: direction and meaning never rest on colour alone."""

    arrow: str
    amount: str
    verdict: Verdict = Verdict.NEUTRAL


NOTHING_BEFORE = Change("", "nothing to compare with")


def relative_change(now: float | None, before: float | None, polarity: Polarity) -> Change:
    """Return the change from `before` to `now` in percent of `before`."""
    if now is None or before is None:
        return NOTHING_BEFORE
    if before == 0:
        if now == 0:
            return Change(LEVEL, "no change")
        return Change(UP if now > 0 else DOWN, "from zero")
    ratio = (now - before) / abs(before)
    if abs(ratio) < 0.0005:
        return Change(LEVEL, "no change")
    times = before > 0 and ratio >= 9
    amount = f"x{significant(now / before)}" if times else f"{abs(100 * ratio):.1f}%"
    if now and amount == "100.0%" and -1 < ratio < 0:
        # What is left, however little, is not nothing.
        amount = ">99.9%"
    return _judged(ratio, RELATIVE_NOISE, amount, polarity)


def points_change(now: float | None, before: float | None, polarity: Polarity) -> Change:
    """Return the change between two shares of 0 to 1 in percentage points."""
    if now is None or before is None:
        return NOTHING_BEFORE
    points = 100 * (now - before)
    if abs(points) < 0.005:
        return Change(LEVEL, "no change")
    noise = max(POINTS_NOISE, 100 * SHARE_NOISE * min(before, 1 - before))
    return _judged(points, noise, f"{abs(points):.2f} pp", polarity)


def _judged(difference: float, noise: float, amount: str, polarity: Polarity) -> Change:
    arrow = UP if difference > 0 else DOWN
    direction = (1 if difference > 0 else -1) * polarity.value
    if direction == 0 or abs(difference) < noise:
        return Change(arrow, amount)
    return Change(arrow, amount, Verdict.BETTER if direction > 0 else Verdict.WORSE)
