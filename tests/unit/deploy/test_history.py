"""Which stretches of the simulated weeks are made up when."""

from itertools import pairwise

import pytest

from deploy.history import (
    ROOT,
    SHORTEST_GAP_US,
    STRETCH_US,
    Missing,
    Stored,
    digits_curves,
    missing,
)

MINUTE_US = 60 * 1_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
# 2026-10-12 00:00 UTC.
MONDAY_US = 1_791_763_200 * 1_000_000
# A Wednesday.
NOW_US = MONDAY_US + 6 * WEEK_US + 2 * DAY_US + 9 * HOUR_US + 17


def wanted(stored: Stored | None, until_us: int = NOW_US) -> Missing:
    return missing(stored, until_us, 6 * WEEK_US)


def test_a_first_history_begins_on_the_monday_before_and_ends_now() -> None:
    found = wanted(None)
    assert found.began_us == found.stretches[0][0] == MONDAY_US
    assert found.stretches[-1][1] == NOW_US
    assert all(before[1] == after[0] for before, after in pairwise(found.stretches))
    lengths = [to_us - from_us for from_us, to_us in found.stretches]
    assert set(lengths[:-1]) == {STRETCH_US}
    assert SHORTEST_GAP_US <= lengths[-1] <= STRETCH_US + SHORTEST_GAP_US


@pytest.mark.parametrize("cut_us", [0, STRETCH_US, 5 * STRETCH_US])
def test_a_history_that_was_cut_off_goes_on_where_it_ended(cut_us: int) -> None:
    whole = wanted(None)
    rest = wanted(Stored(MONDAY_US, MONDAY_US + cut_us))
    assert rest.began_us == MONDAY_US
    assert rest.stretches == [each for each in whole.stretches if each[0] >= MONDAY_US + cut_us]


def test_a_later_day_adds_what_is_missing_and_the_story_goes_on() -> None:
    tomorrow_us = NOW_US + DAY_US
    found = wanted(Stored(MONDAY_US, NOW_US), tomorrow_us)
    assert found.began_us == MONDAY_US
    assert (found.stretches[0][0], found.stretches[-1][1]) == (NOW_US, tomorrow_us)


@pytest.mark.parametrize("gap_us", [-DAY_US, 0, SHORTEST_GAP_US - 1])
def test_a_gap_too_short_to_serve_anybody_is_left(gap_us: int) -> None:
    assert wanted(Stored(MONDAY_US, NOW_US), NOW_US + gap_us).stretches == []
    assert wanted(Stored(MONDAY_US, NOW_US), NOW_US + SHORTEST_GAP_US).stretches


def test_of_a_year_away_only_the_last_weeks_are_made_up() -> None:
    later_us = NOW_US + 52 * WEEK_US
    found = wanted(Stored(MONDAY_US, NOW_US), later_us)
    assert 6 * WEEK_US <= later_us - found.stretches[0][0] < 7 * WEEK_US
    assert found.began_us == MONDAY_US


def test_the_shipped_model_has_its_measured_curves() -> None:
    curves = digits_curves(ROOT / "data/models")
    assert curves.keys() == {"1", "2"}
    assert curves["1"].median(1) > curves["2"].median(1) > 0
    assert 0 < curves["1"].spread < 1
