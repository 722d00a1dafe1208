"""Numbers, spans and instants as people read them."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formatting import (
    DASH,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    byte_size,
    count,
    duration_ms,
    instant,
    percent,
    significant,
    span,
    stretch,
    time_of_day,
    usd,
)
from tests.fixtures_usage import MONDAY_US

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, DASH),
        (float("nan"), DASH),
        (0, "0"),
        (12345.6, "12,346"),
        (30.149, "30.1"),
        (0.000512, "0.000512"),
        (0.00000165, "0.00000165"),
        (9.999, "10.00"),
        (-0.5, "-0.500"),
    ],
)
def test_a_number_shows_three_digits_that_count_and_never_an_exponent(
    value: float | None, shown: str
) -> None:
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, DASH),
        (0.0, "0"),
        (1234.5, "1,234.50"),
        (3.0, "3.00"),
        (0.1785, "0.1785"),
        (0.0165, "0.0165"),
        (0.0005, "0.000500"),
        (0.00000012345, "0.000000123"),
    ],
)
def test_money_shows_cents_or_as_many_decimals_as_it_takes(value: float | None, shown: str) -> None:
    assert usd(value) == shown


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_money_above_zero_is_never_shown_as_zero_and_is_off_by_half_a_percent_at_most(
    value: float,
) -> None:
    assert float(usd(value).replace(",", "")) == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, DASH),
        (0.0, "0%"),
        (1.0, "100.0%"),
        (0.9786, "97.9%"),
        (0.99961, "99.96%"),
        (0.0214, "2.14%"),
        (0.00004, "<0.01%"),
        (-0.00004, ">-0.01%"),
        (-0.02, "-2.00%"),
    ],
)
def test_a_share_is_shown_in_percent_and_neither_lost_nor_made_whole_by_rounding(
    share: float | None, shown: str
) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value_ms", "shown"),
    [
        (None, (DASH, "")),
        (0.42, ("0.420", "ms")),
        (80.0, ("80.0", "ms")),
        (1234.5, ("1,234", "ms")),
        (12_345.0, ("12.3", "s")),
    ],
)
def test_a_latency_is_in_milliseconds_until_it_is_in_seconds(
    value_ms: float | None, shown: tuple[str, str]
) -> None:
    assert duration_ms(value_ms) == shown


@pytest.mark.parametrize(
    ("length_us", "shown"),
    [
        (-SECOND_US, "0 s"),
        (2 * SECOND_US, "2 s"),
        (MINUTE_US - 1, "59 s"),
        (59 * MINUTE_US, "59 min"),
        (3 * HOUR_US, "3 h"),
        (47 * HOUR_US, "47 h"),
        (49 * HOUR_US, "2 d"),
    ],
)
def test_a_span_is_told_in_its_largest_fitting_unit(length_us: int, shown: str) -> None:
    assert span(length_us) == shown


def test_an_instant_keeps_its_microseconds_in_the_readers_zone() -> None:
    assert instant(MONDAY_US + 123_457, BERLIN).isoformat() == "2025-11-03T15:00:00.123457+01:00"


def test_a_minute_of_today_is_told_without_its_date_and_another_days_with_it() -> None:
    assert time_of_day(MONDAY_US, UTC, MONDAY_US + HOUR_US) == "14:00"
    assert time_of_day(MONDAY_US, UTC, MONDAY_US + 24 * HOUR_US) == "03 Nov 2025, 14:00"


def test_a_stretch_has_dates_at_both_ends_unless_all_of_it_is_today() -> None:
    end_us = MONDAY_US + HOUR_US
    assert stretch(MONDAY_US, end_us, UTC, end_us) == "14:00 to 15:00"
    yesterday = stretch(MONDAY_US - 24 * HOUR_US, end_us, UTC, end_us)
    assert yesterday == "02 Nov 2025, 14:00 to 03 Nov 2025, 15:00"


def test_a_count_has_its_thousands_separated() -> None:
    assert count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1.00 KiB"),
        (3 * 2**29, "1.50 GiB"),
        (2**50, "1,024 TiB"),
    ],
)
def test_sizes_are_told_in_units_of_1024(size: int, text: str) -> None:
    assert byte_size(size) == text
