"""Why cost changed, as people read it."""

import pytest

from costs.variance import Driver, Mover, Usage, explain_change, top_movers
from costs.variance.change import OWN_LINE
from reports.variance import cause_words, line_words
from store import Key


def words(before: Usage, after: Usage) -> str:
    (mover,) = movers(before, after)
    return cause_words(mover)


def movers(before: Usage, after: Usage) -> tuple[Mover[Key], ...]:
    key: Key = ("digits",)
    return top_movers(explain_change({key: before}, {key: after}).contributions, 1)


def usage(requests: int, busy_ms: int, provisioned_ms: int, giga_ticks: int) -> Usage:
    return Usage(requests, busy_ms * 1000, provisioned_ms * 1000, giga_ticks * 10**9)


# 5 ms per request, half of the time provided, 0.04 USD per worker-hour.
BASE = usage(1_000, 5_000, 10_000, 400)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((1_110, 5_550, 11_100, 444), "11.0% more requests (1,000 to 1,110)"),
        (
            (10**9, 5 * 10**9, 10**10, 4 * 10**8),
            "1,000,000 times as many requests (1,000 to 1,000,000,000)",
        ),
        (
            (1_000, 50_000, 100_000, 4_000),
            "10.0 times as much work per request (5.00 to 50.0 ms of a worker)",
        ),
        (
            (1_000, 5_000, 10_000, 4_800),
            "12.0 times as dear machines (0.0400 to 0.4800 USD per worker-hour)",
        ),
        ((500, 2_500, 5_000, 200), "50.0% fewer requests (1,000 to 500)"),
        ((1_000, 6_000, 12_000, 480), "20.0% more work per request (5.00 to 6.00 ms of a worker)"),
        ((1_000, 4_000, 8_000, 320), "20.0% less work per request (5.00 to 4.00 ms of a worker)"),
        ((1_000, 5_000, 12_500, 500), "utilisation 50.0% to 40.0%"),
        (
            (1_000, 5_000, 10_000, 500),
            "25.0% dearer machines (0.0400 to 0.0500 USD per worker-hour)",
        ),
        ((1_000, 5_000, 10_000, 0), "cheaper machines (0.0400 to 0 USD per worker-hour)"),
        ((1_000, 0, 0, 0), "less work per request (5.00 to 0 ms of a worker)"),
        ((0, 0, 0, 0), "not there any more"),
        ((0, 0, 10_000, 300), "machines without work"),
    ],
)
def test_a_cause_is_told_with_what_it_was_before_and_after(
    after: tuple[int, int, int, int], expected: str
) -> None:
    assert words(BASE, usage(*after)) == expected


def test_what_was_not_there_before_is_said_to_be_new() -> None:
    assert words(usage(0, 0, 0, 0), BASE) == "not there before"


def test_every_line_of_a_bridge_has_words() -> None:
    beside = ("unused_machines", "network", "storage", "cache", "commitment")
    lines = [*Driver, *OWN_LINE, *beside]
    told = [line_words(line) for line in lines]
    assert len(set(told)) == len(lines)
    assert not any("_" in words for words in told)
    assert line_words("of somebody else") == "of somebody else"
