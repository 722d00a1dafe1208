"""Increases are exact, once each: whatever resets, gaps and unreadable samples there are."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.increase import find_resets, group_of, increases
from collectors.prometheus.series import Series, Value
from collectors.prometheus.target import Target
from tests.unit.collectors.prometheus.counter_truth import (
    BEGIN_US,
    LOOKBACK_US,
    SECOND_US,
    Scrape,
    scrapes,
    watched,
)


def found(
    values: list[Value],
    *,
    times_s: list[int] | None = None,
    scale: int = 1,
    continued: bool = True,
    started_s: dict[int, int] | None = None,
    also_at_s: tuple[int, ...] = (),
) -> list[tuple[int, int]]:
    """Return the increases (in seconds since the beginning, amount) of a series."""
    times = [BEGIN_US + s * SECOND_US for s in times_s or range(0, 15 * len(values), 15)]
    series = Series("requests", {}, times, values)
    instants = sorted({*times, *(BEGIN_US + s * SECOND_US for s in also_at_s)})
    started = {
        BEGIN_US + at * SECOND_US: BEGIN_US + began * SECOND_US
        for at, began in (started_s or {}).items()
    }
    seen = frozenset(instants[1:]) if continued else frozenset()
    target = Target(instants, started, seen, LOOKBACK_US)
    rows = alone(series, scale, target, 0)
    return [((at_us - BEGIN_US) // SECOND_US, amount) for at_us, amount in rows]


def alone(series: Series, scale: int, target: Target, after_us: int) -> Iterator[tuple[int, int]]:
    """Return the increases of a series of which only its own resets are known."""
    resets = find_resets([series], LOOKBACK_US)[group_of(series)]
    return increases(series, scale, target, resets, after_us)


def numbers(*values: int) -> list[Value]:
    return [Decimal(value) for value in values]


@given(scrapes, st.booleans(), st.lists(st.integers(0, 40), max_size=8), st.integers(0, 1))
def test_increases_add_up_to_the_truth_however_time_is_cut(
    seen: list[Scrape], tells_start: bool, cuts: list[int], off_us: int
) -> None:
    counter = watched(seen, tells_start=tells_start)
    series = counter.series
    # Cut at samples, just before them, and anywhere.
    edges = sorted({series.times_us[cut] - off_us for cut in cuts if cut < len(series.times_us)})
    edges = [0, *edges, series.times_us[-1]]
    told: list[tuple[int, int]] = []
    for after_us, until_us in pairwise(edges):
        # Only what a query gives: the window and its lookback.
        cut = series.within(after_us - LOOKBACK_US, until_us)
        told += alone(cut, 1, counter.target, after_us)
    assert told == counter.truth


@given(st.lists(st.decimals(0, 10**9, places=9), min_size=2, max_size=20))
def test_durations_rounded_down_add_up_to_their_whole_rounded_down(steps: list[Decimal]) -> None:
    values: list[Value] = []
    total = Decimal(0)
    for step in steps:
        total += step / 1000
        values.append(total)
    first, last = values[0], values[-1]
    assert first is not None
    assert last is not None
    grown = sum(amount for _, amount in found(values, scale=1_000_000))
    assert grown == int(last * 1_000_000) - int(first * 1_000_000)


def test_the_first_sample_of_all_is_where_counting_begins() -> None:
    assert found(numbers(100, 103), continued=False) == [(15, 3)]


def test_a_counter_that_is_new_in_a_known_target_counts_from_zero() -> None:
    assert found(numbers(4, 5), times_s=[30, 45], also_at_s=(0, 15)) == [(30, 4), (45, 1)]


def test_a_counter_among_series_that_are_all_new_is_not_taken_for_new() -> None:
    told = found(numbers(4_000, 4_001), times_s=[30, 45], also_at_s=(0, 15), continued=False)
    assert told == [(45, 1)]


def test_a_process_that_started_just_before_its_first_scrape_counts_from_zero() -> None:
    told = found(numbers(4, 5), times_s=[600, 615], continued=False, started_s={600: 590, 615: 590})
    assert told == [(600, 4), (615, 1)]


def test_a_process_that_ran_long_before_its_first_scrape_does_not() -> None:
    told = found(numbers(4, 5), times_s=[600, 615], continued=False, started_s={600: 10, 615: 10})
    assert told == [(615, 1)]


def test_a_restart_counts_even_where_the_counter_overtook_its_old_value() -> None:
    started = {0: -900, 15: -900, 30: 20}
    assert found(numbers(5, 6, 50), started_s=started) == [(15, 1), (30, 50)]


def test_a_start_that_is_told_with_jitter_is_no_restart() -> None:
    assert found(numbers(5, 6, 50), started_s={0: -900, 15: -900, 30: -899}) == [(15, 1), (30, 44)]


def test_what_is_not_a_number_is_bridged_and_counts_once() -> None:
    assert found([*numbers(5), None, None, *numbers(9)]) == [(45, 4)]


def test_a_counter_that_was_long_unreadable_is_not_taken_for_new() -> None:
    times = [0, *range(15, 600, 15), 600, 615]
    values = [*numbers(5), *[None] * 39, *numbers(1_000, 1_001)]
    assert found(values, times_s=times) == [(615, 1)]


def test_across_a_gap_longer_than_the_lookback_nothing_is_known() -> None:
    # The target was gone, too: nothing was born.
    assert found(numbers(1, 2, 70, 71), times_s=[0, 15, 316, 331], continued=False) == [
        (15, 1),
        (331, 1),
    ]


def test_garbage_counts_nothing() -> None:
    assert found([Decimal(1), Decimal(10) ** 16, Decimal(10) ** 16 + 1]) == [(30, 1)]
    assert found([Decimal(-5), Decimal(3), Decimal(4)]) == [(30, 1)]
