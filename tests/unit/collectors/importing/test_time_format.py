"""Instants in text are read to the microsecond, whatever the format."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.importing.cell import Cell, CellError
from collectors.importing.time_format import TimeFormat, zone_of
from collectors.importing.time_pattern import TimePatternError
from usage.record import EARLIEST_US, LATEST_US

NOON_US = 1_700_049_600_000_000  # 2023-11-15 12:00:00 UTC
BERLIN = ZoneInfo("Europe/Berlin")

INSTANTS = st.integers(EARLIEST_US, LATEST_US)
NANOSECONDS = st.integers(EARLIEST_US * 1_000, LATEST_US * 1_000)
OFFSETS = st.integers(-12 * 60, 14 * 60)


def read(format_: str, *cells: Cell, zone: str | None = None) -> list[int]:
    return TimeFormat(format_, None if zone is None else zone_of(zone)).instants(cells)


def at(instant_us: int, offset_minutes: int = 0) -> datetime:
    zone = timezone(timedelta(minutes=offset_minutes))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)).astimezone(zone)


@given(st.lists(st.tuples(INSTANTS, OFFSETS), min_size=1, max_size=20))
def test_rfc_3339_comes_back_exactly_with_any_offset(times: list[tuple[int, int]]) -> None:
    texts = [at(*time).isoformat() for time in times]
    expected = [instant_us for instant_us, _ in times]
    assert read("rfc3339", *texts) == expected
    zulu = [at(instant_us).isoformat().replace("+00:00", "Z") for instant_us in expected]
    assert read("rfc3339", *zulu) == expected
    spaced = [text.replace("T", " ").lower() for text in zulu]
    assert read("rfc3339", *spaced) == expected


@given(st.lists(NANOSECONDS, min_size=1, max_size=20), st.integers(0, 9))
def test_what_is_finer_than_a_microsecond_is_rounded_down(times: list[int], digits: int) -> None:
    texts, expected = [], []
    for instant_ns in times:
        head = at(instant_ns // 1_000).strftime("%Y-%m-%d %H:%M:%S")
        fraction = f"{instant_ns % 1_000_000_000:09d}"[:digits]
        texts.append(f"{head}.{fraction}" if digits else head)
        seconds = instant_ns // 1_000_000_000 * 1_000_000
        expected.append(seconds + int(fraction.ljust(9, "0")) // 1_000)
    pattern = "%Y-%m-%d %H:%M:%S" + (".%f" if digits else "")
    assert read(pattern, *texts, zone="UTC") == expected
    assert read("rfc3339", *texts, zone="UTC") == expected


@given(st.lists(NANOSECONDS, min_size=1, max_size=20))
def test_unix_times_come_back_exactly_in_every_unit(times: list[int]) -> None:
    expected = [instant_ns // 1_000 for instant_ns in times]
    assert read("unix_ns", *times) == expected
    assert read("unix_us", *(f"{ns // 1_000}.{ns % 1_000:03}" for ns in times)) == expected
    assert read("unix_ms", *(f"{ns // 10**6}.{ns % 10**6:06}" for ns in times)) == expected
    assert read("unix_s", *(f"{ns // 10**9}.{ns % 10**9:09}" for ns in times)) == expected
    assert read("unix_s", *(ns // 10**9 for ns in times)) == [ns // 10**9 * 10**6 for ns in times]


@given(st.lists(INSTANTS, min_size=1, max_size=20), OFFSETS)
def test_a_pattern_with_an_offset_comes_back_exactly(times: list[int], offset: int) -> None:
    pattern = "%d/%b/%Y:%H:%M:%S.%f %z"
    texts = [at(instant_us, offset).strftime(pattern) for instant_us in times]
    assert read(pattern, *texts) == times


@given(st.lists(INSTANTS, min_size=1, max_size=20))
def test_local_times_come_back_exactly_but_for_the_hour_that_occurs_twice(
    times: list[int],
) -> None:
    texts, expected = [], []
    for instant_us in times:
        local = at(instant_us).astimezone(BERLIN)
        texts.append(local.replace(tzinfo=None).isoformat(" "))
        expected.append(instant_us - local.fold * 3_600_000_000)
    assert read("rfc3339", *texts, zone="Europe/Berlin") == expected


def test_of_a_local_time_that_occurs_twice_the_first_is_taken() -> None:
    [first, before] = read(
        "%Y-%m-%d %H:%M:%S", "2023-10-29 02:30:00", "2023-10-29 01:30:00", zone="Europe/Berlin"
    )
    assert first - before == 3_600_000_000


def test_a_local_time_that_was_skipped_is_refused() -> None:
    with pytest.raises(CellError, match="a time that Europe/Berlin does not skip"):
        read("%Y-%m-%d %H:%M:%S", "2023-03-26 02:30:00", zone="Europe/Berlin")


def test_an_offset_in_the_text_counts_more_than_the_zone_of_the_map() -> None:
    assert read("rfc3339", "2023-11-15T12:00:00Z", zone="Europe/Berlin") == [NOON_US]
    assert read("rfc3339", "2023-11-15T13:00:00", zone="Europe/Berlin") == [NOON_US]


def test_a_time_without_an_offset_is_refused_where_the_map_names_no_zone() -> None:
    with pytest.raises(CellError, match="accepted: a time with its offset, or a timezone"):
        read("rfc3339", "2023-11-15T12:00:00")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d/%b/%Y:%H:%M:%S %z", "15/Nov/2023:13:00:00 +0100"),
        ("%A, %d %B %Y %I:%M:%S %p %z", "Wednesday, 15 November 2023 12:00:00 PM Z"),
        ("%y%j%H%M%S%z", "23319120000+00:00"),
        ("%Y.%m.%d at %H h %z 100%%", "2023.11.15 at 12 h +0000 100%"),
    ],
)
def test_patterns_are_those_of_strptime(pattern: str, text: str) -> None:
    assert read(pattern, text) == [NOON_US]


@pytest.mark.parametrize(
    "cell",
    [None, "", "now", 17, "2023-11-15", "2023-11-15T12:00:00+1", "2023-13-15T12:00:00Z",
     "2023-02-29T12:00:00Z", "2023-11-15T24:00:01Z", "2023-11-15T12:00:60Z",
     "2023-11-15T12:00:00Zjunk", " 2023-11-15T12:00:00Z", "2023-11-15T12:00:00.Z",
     "\uff12023-11-15T12:00:00Z", "2023-11-15T12:00:00.\u0663Z", "0000-01-01T00:00:00Z", "\udcff"],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_name_and_value(cell: Cell) -> None:
    with pytest.raises(CellError, match=r"^arrived_at_us is .*; accepted: rfc3339"):
        read("rfc3339", cell)


def test_a_time_that_is_like_the_one_before_is_looked_at_all_the_same() -> None:
    good = "2023-11-15T12:00:00.123456+00:00"
    assert read("rfc3339", good, good[:-5] + "01:00") == [
        NOON_US + 123_456,
        NOON_US - 3_600_000_000 + 123_456,
    ]
    for broken in (
        good[:-7] + "x+00:00",
        good[:-7] + "\u0663+00:00",
        good[:-1] + "x",
        "x" + good[1:],
    ):
        with pytest.raises(CellError):
            read("rfc3339", good, broken)


@pytest.mark.parametrize("cell", [None, "", "x", "-1", "1e9999", "1 ", "\u0663", "nan"])
def test_what_is_no_unix_time_is_refused(cell: Cell) -> None:
    with pytest.raises(CellError, match="arrived_at_us is"):
        read("unix_s", cell)


@pytest.mark.parametrize(
    "pattern",
    ["", "%", "%Y", "%Y-%m-%d", "%H:%M", "%Y-%m-%d %H %Q", "%Y %Y-%m-%d %H", "%Y-%m-%d %H %", "iso",
     "%Y-%d %H", "%Y-%m-%d %I"],
)  # fmt: skip
def test_a_pattern_that_names_no_instant_is_refused(pattern: str) -> None:
    with pytest.raises(TimePatternError, match="a strptime pattern of %Y"):
        TimeFormat(pattern, UTC)


@given(st.text())
def test_no_text_makes_trouble(text: str) -> None:
    for format_ in ("rfc3339", "unix_s", "%d/%b/%Y:%H:%M:%S.%f"):
        try:
            TimeFormat(format_, UTC).instants([text])
        except CellError as error:
            assert str(error).isascii()


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe", "Europe/berlin\0"])
def test_a_zone_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone that this machine knows"):
        zone_of(name)
