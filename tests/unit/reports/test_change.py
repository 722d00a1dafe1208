"""Changes against the window before: direction, amount and verdict."""

import pytest

from reports.change import (
    DOWN,
    LEVEL,
    NOTHING_BEFORE,
    UP,
    Change,
    Polarity,
    Verdict,
    points_change,
    relative_change,
)

LOWER = Polarity.LOWER_IS_BETTER
NEUTRAL = Polarity.NEUTRAL
HIGHER = Polarity.HIGHER_IS_BETTER


@pytest.mark.parametrize(
    ("now", "before", "polarity", "expected"),
    [
        (1.2, 1.0, LOWER, Change(UP, "20.0%", Verdict.WORSE)),
        (0.8, 1.0, LOWER, Change(DOWN, "20.0%", Verdict.BETTER)),
        (0.8, 1.0, HIGHER, Change(DOWN, "20.0%", Verdict.WORSE)),
        (50.0, 1.0, NEUTRAL, Change(UP, "x50.0")),
        (1.005, 1.0, LOWER, Change(UP, "0.5%")),
        (1.0, 1.0, LOWER, Change(LEVEL, "no change")),
        (1.0, 0.0, LOWER, Change(UP, "from zero")),
        (-1.0, 0.0, LOWER, Change(DOWN, "from zero")),
        (0.0, 0.0, LOWER, Change(LEVEL, "no change")),
        # An idle cost below zero: ten times it, with the other sign, is no "x-10".
        (10.0, -1.0, LOWER, Change(UP, "1100.0%", Verdict.WORSE)),
        (-2.0, -1.0, LOWER, Change(DOWN, "100.0%", Verdict.BETTER)),
        (0.0, 1.0, LOWER, Change(DOWN, "100.0%", Verdict.BETTER)),
        (0.0001, 1.0, LOWER, Change(DOWN, ">99.9%", Verdict.BETTER)),
        (None, 1.0, LOWER, NOTHING_BEFORE),
        (1.0, None, LOWER, NOTHING_BEFORE),
    ],
)
def test_a_figure_changes_in_percent_of_what_it_was(
    now: float | None, before: float | None, polarity: Polarity, expected: Change
) -> None:
    assert relative_change(now, before, polarity) == expected


@pytest.mark.parametrize(
    ("now", "before", "polarity", "expected"),
    [
        (0.05, 0.01, LOWER, Change(UP, "4.00 pp", Verdict.WORSE)),
        (0.60, 0.80, LOWER, Change(DOWN, "20.00 pp", Verdict.BETTER)),
        (0.30, 0.20, HIGHER, Change(UP, "10.00 pp", Verdict.BETTER)),
        # 98 % idle is 2 % used: a tenth of a point is nothing to either.
        (0.9800, 0.9788, LOWER, Change(UP, "0.12 pp")),
        (0.0200, 0.0212, HIGHER, Change(DOWN, "0.12 pp")),
        (0.0005, 0.0002, LOWER, Change(UP, "0.03 pp")),
        (0.5, 0.5, LOWER, Change(LEVEL, "no change")),
        (None, 0.5, LOWER, NOTHING_BEFORE),
    ],
)
def test_a_share_changes_in_percentage_points(
    now: float | None, before: float | None, polarity: Polarity, expected: Change
) -> None:
    assert points_change(now, before, polarity) == expected
