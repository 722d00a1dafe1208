"""The headline: what it says of every kind of week, and that it invents no number."""

import dataclasses
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD
from reports.formatting import count, duration_ms, significant
from reports.formatting import usd as spelled
from reports.variance import line_words
from reports.weekly.bridge import Bridge, Driver, leading_words
from reports.weekly.headline import (
    headline,
    length_words,
    month_end_words,
    no_comparison,
)
from reports.weekly.review import (
    Counted,
    Coverage,
    Freshness,
    MonthEnd,
    WeeklyReview,
)
from store import DAY_US, HOUR_US, MINUTE_US, Period
from tests.unit.reports.weekly.sample_review import (
    BRIDGE,
    MACHINE,
    MONTH_END,
    REVIEW,
    SLOW,
    WEEK,
    counted,
    empty_week,
    first_week,
    review,
    usd,
)

START_US = WEEK.period.from_us
PROMISES = (
    "; p99 latency of 64.8 ms met its target of 80 ms; November is forecast to end at "
    "5,200.00 USD, 200.00 USD over its budget of 5,000.00 USD."
)


def test_a_week_is_told_with_its_change_its_driver_and_its_promises() -> None:
    assert headline(review()) == (
        "Week 47 of 2026 cost 1,234.50 USD, 12.2% more than the week before, led by more or fewer "
        "requests (+98.13 USD)" + PROMISES
    )


def test_less_is_told_as_less_and_led_by_what_saved_most() -> None:
    drivers = (Driver("a", "price of machines", usd("-200")), Driver("b", "volume", usd("100")))
    found = headline(
        review(
            now=counted("1000"),
            bridge=Bridge(usd("1100"), usd("1000"), drivers),
        )
    )  # fmt: skip
    assert (
        "cost 1,000.00 USD, 9.1% less than the week before, "
        "led by price of machines (\u2212200.00 USD)"
    ) in found


def test_no_change_has_no_driver() -> None:
    assert "cost 1,100.00 USD, as much as the week before; p99" in headline(
        review(now=counted("1100.001"))
    )
    assert "cost 1,100.20 USD, about as much as the week before; p99" in headline(
        review(now=counted("1100.2"))
    )


def test_manifold_and_from_nothing() -> None:
    assert ", 12.3 times as much as the week before" in headline(review(before=counted("100")))
    assert ", after nothing in the week before" in headline(review(before=counted("0")))


def test_a_first_week_has_nothing_to_be_compared_with() -> None:
    assert headline(first_week()) == (
        "Week 47 of 2026 cost 1,234.50 USD, with no record of the week before to compare with; "
        "p99 latency of 64.8 ms met its target of 80 ms."
    )


def test_why_a_week_is_not_compared_is_told() -> None:
    assert no_comparison(review()) is None
    fresh = REVIEW.freshness
    patchy = dataclasses.replace(fresh, missing_before=20)
    for found, words in (
        (first_week(freshness=patchy), "too little recorded of the week before to compare with"),
        (first_week(ended=False), "no record of the same part of the week before to compare with"),
        (review(before=counted("0", priced=False)), "no known spend of the week before to compare"),
        (
            first_week(ended=False, period=Period(START_US, START_US + MINUTE_US), freshness=fresh),
            "less than an hour of this week to compare",
        ),
    ):
        assert f", with {words}" in headline(found)
    assert no_comparison(empty_week()) == "no record of this week to compare"
    assert no_comparison(review(now=counted("0", priced=False))) == (
        "no known spend of this week to compare"
    )


def test_what_sets_the_week_before_apart_is_told_beside_it() -> None:
    fresh = dataclasses.replace(REVIEW.freshness, hours_missing=3, missing_before=60)
    apart = review(freshness=fresh, before=counted("1100", simulated=True, measured=False))
    assert (
        "12.2% more than the week before (with 60 of its 168 hours missing, all of it simulated), "
        "led by more or fewer requests (+98.13 USD), with 3 of its 168 hours missing; p99"
    ) in headline(apart)
    alike = review(freshness=dataclasses.replace(fresh, missing_before=3))
    assert "than the week before, led by" in headline(alike)


def test_an_empty_week_is_told_as_that() -> None:
    assert headline(empty_week()) == "Nothing is recorded of week 47 of 2026."


def test_a_missed_target_is_told() -> None:
    slow = review(now=counted("1234.5", slowest=SLOW))
    assert "p99 latency of 96.3 ms missed its target of 80 ms" in headline(slow)


@pytest.mark.parametrize(
    ("requests", "failures", "words"),
    [(0, 0, "; no request came"), (5, 5, "; no request succeeded")],
)
def test_a_week_without_success_has_no_latency(requests: int, failures: int, words: str) -> None:
    idle = review(now=counted("1234.5", requests=requests, failures=failures))
    assert words in headline(idle)


def test_machines_without_a_price_are_told_in_the_singular_and_the_plural() -> None:
    unknown = review(now=counted("0", priced=False), coverage=Coverage(unpriced=(MACHINE,)))
    assert headline(unknown) == (
        "The spend of week 47 of 2026 is unknown: no price is known for its machines; "
        "p99 latency of 64.8 ms met its target of 80 ms."
    )
    for machines, words in (
        ((MACHINE,), "without 1 kind of machine of unknown price"),
        ((MACHINE, MACHINE), "without 2 kinds of machines of unknown price"),
    ):
        assert words in headline(review(coverage=Coverage(unpriced=machines)))
    assert "unknown: nothing that costs is recorded" in headline(
        review(now=counted("0", priced=False))
    )


def test_missing_hours_and_bytes_without_a_price_are_told() -> None:
    patchy = review(
        freshness=Freshness(0, 168, 1, 1), coverage=Coverage(unpriced_bytes=("bytes to moon",))
    )
    assert ", with 1 of its 168 hours missing, without bytes of unknown price; p99" in headline(
        patchy
    )
    unknown = review(now=counted("0", priced=False), freshness=Freshness(0, 168, 1))
    assert "nothing that costs is recorded, with 1 of its 168 hours missing; p99" in headline(
        unknown
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"simulated_requests": 1}, "1 simulated request included"),
        ({"simulated_requests": 1_200}, "1,200 simulated requests included"),
        ({"simulated_requests": 0}, "simulated machines included"),
        ({"simulated_requests": 100_000, "measured": False}, "all of it simulated"),
    ],
)
def test_what_is_simulated_is_told(fields: dict[str, Any], words: str) -> None:
    made_up = review(now=counted("1234.5", simulated=True, **fields), before=None)
    assert f"to compare with, {words}; p99" in headline(made_up)
    unpriced = counted("0", priced=False, simulated=True, **fields)
    assert f"is recorded, {words}; p99" in headline(review(now=unpriced))


def test_a_running_week_is_compared_with_the_same_part_of_the_week_before() -> None:
    running = review(ended=False, period=Period(START_US, START_US + 4 * DAY_US + 3 * HOUR_US))
    assert headline(running).startswith(
        "Week 47 of 2026 has cost 1,234.50 USD in its first 4 days 3 hours, 12.2% more than the "
        "same part of the week before, led by"
    )


@pytest.mark.parametrize(
    ("length_us", "words"),
    [
        (MINUTE_US, "1 minute"),
        (59 * MINUTE_US, "59 minutes"),
        (HOUR_US, "1 hour"),
        (DAY_US, "1 day"),
        (DAY_US + HOUR_US, "1 day 1 hour"),
        (6 * DAY_US + 23 * HOUR_US, "6 days 23 hours"),
    ],
)
def test_lengths_in_words(length_us: int, words: str) -> None:
    assert length_words(length_us) == words


@pytest.mark.parametrize(
    ("forecast", "budget", "words"),
    [
        ("5200", None, "November is forecast to end at 5,200.00 USD, with no budget set"),
        ("5200", "5000", "5,200.00 USD, 200.00 USD over its budget of 5,000.00 USD"),
        ("4100", "5000", "4,100.00 USD, 900.00 USD under its budget of 5,000.00 USD"),
        ("5000", "5000", "5,000.00 USD, on its budget of 5,000.00 USD"),
        ("5000.001", "5000", "5,000.00 USD, 0.00100 USD over its budget of 5,000.00 USD"),
        ("0.004", "0", "0.00400 USD, 0.00400 USD over its budget of 0 USD"),
    ],
)
def test_the_forecast_is_held_to_the_budget(forecast: str, budget: str | None, words: str) -> None:
    found = MonthEnd(
        month=date(2026, 11, 1),
        spent=(),
        forecast_usd=Decimal(forecast),
        budget_usd=None if budget is None else Decimal(budget),
    )
    assert words in (month_end_words(found) or "")


def test_a_month_that_is_over_has_ended_and_one_without_history_is_not_told() -> None:
    over = dataclasses.replace(MONTH_END, over=True)
    assert month_end_words(over) == (
        "November ended at 5,200.00 USD, 200.00 USD over its budget of 5,000.00 USD"
    )
    unknown = dataclasses.replace(MONTH_END, forecast_usd=None)
    assert month_end_words(unknown) is None
    assert "forecast" not in headline(review(month_end=unknown))


def test_what_leads_is_of_the_direction_of_the_change() -> None:
    assert BRIDGE.leading == BRIDGE.drivers[0]
    assert dataclasses.replace(BRIDGE, now=usd("1000")).leading == BRIDGE.drivers[1]
    assert dataclasses.replace(BRIDGE, now=BRIDGE.before).leading is None
    assert dataclasses.replace(BRIDGE, drivers=()).leading is None


@pytest.mark.parametrize(
    ("volume", "utilization", "price", "led_by"),
    [
        # More requests on the same machines: it is the price that moved the spend.
        ("80", "-76", "9", "price of machines (+9.00 USD)"),
        # They needed few machines more.
        ("80", "-68", "9", "machine time (+12.00 USD)"),
        ("80", "-20", "9", "number of requests (+80.00 USD)"),
        ("-80", "68", "9", "machine time (\u221212.00 USD)"),
    ],
)
def test_drivers_that_cancel_out_on_the_same_machines_lead_nothing(
    volume: str, utilization: str, price: str, led_by: str
) -> None:
    drivers = tuple(
        Driver(key, line_words(key), usd(change))
        for key, change in (("volume", volume), ("utilization", utilization), ("price", price))
    )
    change = sum((driver.change for driver in drivers), usd("0"))
    bridge = Bridge(usd("1000"), usd("1000") + change, drivers)
    assert leading_words(bridge) == f", led by {led_by}"


amounts = st.integers(0, 10**12).map(lambda cents: Fraction(cents, 100) * TICKS_PER_USD)
decimals = st.decimals(0, 10**9, places=2)


def spent(ticks: Fraction | None, simulated: int = 0) -> Counted:
    """Return a week that cost `ticks`, None for a week of unknown cost."""
    usd_spent = "0" if ticks is None else str(ticks / TICKS_PER_USD)
    return counted(
        usd_spent,
        requests=1000,
        priced=ticks is not None,
        simulated=simulated > 0,
        simulated_requests=simulated,
    )


reviews = st.builds(
    lambda spend, before, drivers, coverage, hours, forecast, budget: review(
        now=spent(spend, coverage),
        before=spent(before, hours),
        bridge=Bridge(
            before or Fraction(0),
            spend or Fraction(0),
            tuple(Driver(str(n), "some driver", change) for n, change in enumerate(drivers)),
        ),
        coverage=Coverage(unpriced=(MACHINE,) * coverage),
        freshness=Freshness(0, 168, hours, coverage),
        month_end=dataclasses.replace(MONTH_END, forecast_usd=forecast, budget_usd=budget),
    ),
    st.none() | amounts,
    st.none() | amounts,
    st.lists(st.tuples(amounts, st.sampled_from((1, -1))).map(lambda d: d[0] * d[1]), max_size=3),
    st.integers(0, 3),
    st.integers(0, 168),
    decimals,
    st.none() | decimals,
)


def numbers_of(found: WeeklyReview) -> set[str]:
    """Return every number that the review holds, as it is spelled."""
    assert found.now is not None
    assert found.month_end is not None
    assert found.month_end.forecast_usd is not None
    held = {str(found.week.number), str(found.week.year), "99", f"{found.p99_target_ms:g}"}
    held.add(duration_ms(found.now.figures.p99_ms)[0])
    if found.spend is not None:
        held.add(spelled(float(Fraction(found.spend) / TICKS_PER_USD)))
    forecast, budget = found.month_end.forecast_usd, found.month_end.budget_usd
    held.add(spelled(float(forecast)))
    if budget is not None:
        held |= {spelled(float(budget)), spelled(float(abs(forecast - budget)))}
    if found.spend is not None and found.spend_before:
        ratio = Fraction(found.spend) / found.spend_before
        held |= {f"{abs(float(100 * (ratio - 1))):.1f}", "99.9", significant(float(ratio))}
    held.add(count(len(found.coverage.unpriced)))
    held |= {count(one.simulated_requests) for one in (found.now, found.before) if one}
    fresh = found.freshness
    return held | {count(n) for n in (fresh.hours, fresh.hours_missing, fresh.missing_before)}


@given(reviews)
def test_every_number_of_the_headline_is_one_of_the_review(found: WeeklyReview) -> None:
    said = headline(found)
    driver = re.search(r"some driver \((.)([\d,.]+) USD\)", said)
    if driver is not None:
        # Rounded such that all drivers add up: within one unit of the last digit that is shown.
        change = Decimal(driver[2].replace(",", "")) * (1 if driver[1] == "+" else -1)
        unit = Fraction(1, 10 ** -int(change.as_tuple().exponent))
        changes = [Fraction(d.change) / TICKS_PER_USD for d in (found.bridge or BRIDGE).drivers]
        assert any(abs(Fraction(change) - exact) < unit for exact in changes)
        said = said.replace(driver[0], "")
    numbers = set(re.findall(r"\d(?:[\d,]*\d)?(?:\.\d+)?", said))
    assert numbers <= numbers_of(found)
    assert said.endswith(".")
    assert "None" not in said
    assert "  " not in said
