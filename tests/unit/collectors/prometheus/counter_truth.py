"""Counters whose true increase is known, as a scraper sees them: resets, gaps, NaN and all."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from collectors.prometheus.series import Series, Value
from collectors.prometheus.target import Target

SECOND_US = 1_000_000
LOOKBACK_US = 300 * SECOND_US
# 2025-11-03 14:00:00 UTC, a whole minute.
BEGIN_US = 1_762_178_400 * SECOND_US


@dataclass(frozen=True)
class Scrape:
    """`after_us` the one before, `events` have happened; `anew`: the process was started again just
    after the one before; `readable`: the sample is a number."""

    after_us: int
    events: int
    anew: bool
    readable: bool


@dataclass(frozen=True)
class Watched:
    """A counter as it was scraped, the start of its process by scrape where that is told, and what
    is known of it: (instant, increase)."""

    series: Series
    target: Target
    started_us: dict[int, int]
    truth: list[tuple[int, int]]


distances = st.one_of(
    st.integers(14_990_000, 15_010_000),
    # A process takes more than a second to start.
    st.integers(2 * SECOND_US, 90 * SECOND_US),
    st.sampled_from([LOOKBACK_US - 1000, LOOKBACK_US, LOOKBACK_US + 1000, 900 * SECOND_US]),
).map(lambda us: us // 1000 * 1000)

scrapes = st.lists(
    st.builds(
        Scrape, distances, st.integers(0, 60), st.sampled_from([False] * 5 + [True]),
        st.sampled_from([True] * 7 + [False]),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


def watched(
    scrapes: list[Scrape], *, tells_start: bool, begin_us: int = BEGIN_US, name: str = "requests"
) -> Watched:
    """Return what the scrapes see. Without `tells_start`, nobody can see that a process was started
    again when its counter has overtaken its old value at once: then it was not."""
    at_us, value, pending, started_us = begin_us, 0, 0, begin_us - 10**9
    times: list[int] = []
    values: list[Value] = []
    started: dict[int, int] = {}
    truth: list[tuple[int, int]] = []
    last: tuple[int, int] | None = None
    for scrape in scrapes:
        before_us, at_us = at_us, at_us + scrape.after_us
        overtaken = last is None or scrape.events >= last[1] or not scrape.readable
        visible = tells_start or not overtaken
        # What happened after an unreadable sample and before a new start nobody can know.
        if scrape.anew and visible and last is not None and last[0] == before_us:
            value, started_us = 0, before_us + 1
        value += scrape.events
        pending += scrape.events
        times.append(at_us)
        if tells_start:
            started[at_us] = started_us
        if not scrape.readable:
            values.append(None)
            continue
        values.append(Decimal(value))
        if last is not None and at_us - last[0] <= LOOKBACK_US and pending:
            truth.append((at_us, pending))
        last, pending = (at_us, value), 0
    target = Target(times, started, frozenset(), LOOKBACK_US)
    return Watched(Series(name, {}, times, values), target, started, truth)
