"""How old a price is, at most."""

from datetime import date

import pytest

from costs.prices.as_of import days_old, earliest_day

NOON_OF_2026_11_20_US = 1_795_176_000_000_000


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2025-04-04", date(2025, 4, 4)),
        ("2026-03", date(2026, 3, 1)),
        ("2026 (exact day unknown)", date(2026, 1, 1)),
        ("2026-11-20T12:00:00Z", date(2026, 11, 20)),
        ("2026-13-01", None),
        ("20261101", None),
        ("1969-12-31", None),
        ("last week", None),
        ("", None),
    ],
)
def test_a_price_is_of_the_first_day_that_its_words_may_mean(as_of: str, day: date | None) -> None:
    assert earliest_day(as_of) == day


def test_age_is_counted_in_days_of_the_calendar() -> None:
    ages = [days_old(day, NOON_OF_2026_11_20_US) for day in ("2026-11-20", "2026-11-19", "2025")]
    assert ages == [0, 1, 688]
    assert days_old("2026-11-21", NOON_OF_2026_11_20_US) == -1
    assert days_old("unknown", NOON_OF_2026_11_20_US) is None
