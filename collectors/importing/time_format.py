"""Instants in the text of a log to microseconds, exactly: what is finer is rounded down."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from collectors.importing.cell import Cell, CellError
from collectors.importing.decimal_text import scaled
from collectors.importing.time_pattern import PATTERNS_ACCEPTED, RFC_3339, shape_of

FIELD: Final = "arrived_at_us"

# Power of ten from the unit to microseconds.
UNIX_POWERS: Final = {"unix_s": 6, "unix_ms": 3, "unix_us": 0, "unix_ns": -3}
FORMATS_ACCEPTED: Final = f"rfc3339, {', '.join(UNIX_POWERS)}, or {PATTERNS_ACCEPTED}"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Requests come many to the second, so what was worked out for one is remembered for some time.
REMEMBERED = 65_536


class TimeFormat:
    """Reads instants written in one `format`: a name in FORMATS_ACCEPTED, or a strptime pattern.

    `zone` is that of times that name no offset; without one they are refused. Of a time that a
    change of clocks makes occur twice, the first is taken; one that it skips is refused. Raises
    TimePatternError when the pattern is not understood.
    """

    def __init__(self, format_: str, zone: tzinfo | None) -> None:
        self._format = format_
        self._zone = zone
        self._power = UNIX_POWERS.get(format_)
        self._pattern = None if format_ == "rfc3339" or self._power is not None else format_
        self._shape = RFC_3339
        if self._pattern is not None:
            self._shape = shape_of(self._pattern)
        self._known: dict[str, int] = {}

    @property
    def needs_zone(self) -> bool:
        """Whether no text of this format can name its offset."""
        return self._pattern is not None and not self._names_offset

    @property
    def takes_zone(self) -> bool:
        """Whether a zone can matter: some text of this format names no offset."""
        return self._power is None and not self._names_offset

    def instants(self, cells: Sequence[Cell]) -> list[int]:
        """Return each of `cells` in microseconds since 1970, UTC. Raises CellError."""
        if self._power is not None:
            power = self._power
            return [self._unix(cell, power) for cell in cells]
        instants = []
        head, tail, length, begin, end, second = "\0", "", 0, 0, 0, 0
        for cell in cells:
            # Most are like the one before but for the fraction.
            if isinstance(cell, str) and len(cell) == length and cell.startswith(head):
                fraction = cell[begin:end]
                digits = begin == end or (fraction.isdigit() and fraction.isascii())
                if digits and cell.endswith(tail):
                    instants.append(second + int(fraction[:6].ljust(6, "0")))
                    continue
            match = self._shape.fullmatch(cell) if isinstance(cell, str) else None
            if match is None:
                raise CellError(FIELD, cell, self._format)
            begin, end = _fraction_of(match)
            text = match.string
            head, tail, length = text[:begin], text[end:], len(text)
            # Without the fraction, so that texts of the same second are the same.
            second = self._second(f"{head}0{tail}" if begin < end else text, match)
            instants.append(second + int(text[begin:end][:6].ljust(6, "0")))
        return instants

    @property
    def _names_offset(self) -> bool:
        return self._pattern is not None and "%z" in self._pattern.replace("%%", "")

    def _unix(self, cell: Cell, power: int) -> int:
        if cell is None:
            raise CellError(FIELD, cell, self._format)
        try:
            return scaled(str(cell), power, "down")
        except ValueError as error:
            raise CellError(FIELD, cell, f"{self._format}, an unsigned decimal number") from error

    def _second(self, text: str, match: re.Match[str]) -> int:
        known = self._known.get(text)
        if known is not None:
            return known
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        try:
            found = self._datetime(text, match)
            if found.tzinfo is None:
                found = self._local(found, match.string)
            micros = (found - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError) as error:
            if isinstance(error, CellError):
                raise
            raise CellError(FIELD, match.string, f"{self._format}, a time that exists") from error
        self._known[text] = micros
        return micros

    def _datetime(self, text: str, match: re.Match[str]) -> datetime:
        if self._pattern is not None:
            return datetime.strptime(text, self._pattern)  # noqa: DTZ007 - _local gives it a zone
        offset = match["offset"] or ""
        return datetime.fromisoformat(f"{match['date']}T{match['time']}{offset.upper()}")

    def _local(self, naive: datetime, text: str) -> datetime:
        if self._zone is None:
            raise CellError(FIELD, text, "a time with its offset, or a timezone in the map")
        there = naive.replace(tzinfo=self._zone)
        if there.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != naive:
            raise CellError(FIELD, text, f"a time that {self._zone} does not skip")
        return there


def _fraction_of(match: re.Match[str]) -> tuple[int, int]:
    """Return from where to where in the text the fraction stands, twice its end if it has none."""
    if "fraction" in match.re.groupindex and match["fraction"] is not None:
        return match.span("fraction")
    return match.end(), match.end()


def zone_of(name: str) -> tzinfo:
    """Return the IANA time zone `name`. Raises ValueError when this machine does not know it."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    # An empty name, a folder of zones, a name that leaves the folder, a file that is no zone.
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{name!r}, no time zone that this machine knows") from error
