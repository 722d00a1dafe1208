"""The map: which column of a foreign log is which field of a usage record."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from collectors.importing.contract import (
    COLUMN_FIELDS,
    CONSTANT_FIELDS,
    DURATION_FIELDS,
    HINTS,
    accepted,
)
from collectors.importing.errors import MapError
from collectors.importing.time_format import FORMATS_ACCEPTED, TimeFormat, zone_of
from collectors.importing.time_pattern import TimePatternError
from collectors.importing.typed_tables import typed
from usage.record import Name

Unit = Literal["s", "ms", "us", "ns"]
Column = Annotated[str, Meta(min_length=1, max_length=1024)]

# Larger ones are no map.
LONGEST_BYTES: Final = 2**20


class TimeMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the instant of a request stands. `marks` says of what: its arrival, or its end, which
    is total_us later."""

    column: Column
    format: Annotated[str, Meta(min_length=1, max_length=256)]
    timezone: str | None = None
    marks: Literal["arrival", "end"] = "arrival"


class CsvMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a CSV file is written. `header` names the columns of one whose first row does not; an
    empty `quote` means that no character quotes."""

    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Meta(max_length=1)] = '"'
    header: list[Column] | None = None


class ImportMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole map. `empty` are the texts of cells in which there is nothing; `values` replaces
    cells of a field by others before they are read. A field in `columns` and in `constants` takes
    the constant where its cell is empty."""

    time: TimeMap
    columns: dict[str, Column] = field(default_factory=dict)
    constants: dict[str, str | int] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    values: dict[str, dict[str, str | int]] = field(default_factory=dict)
    labels: Annotated[dict[Name, Column], Meta(max_length=8)] = field(default_factory=dict)
    empty: list[str] = field(default_factory=lambda: [""])
    csv: CsvMap = field(default_factory=CsvMap)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read, each once."""
        named = (self.time.column, *self.columns.values(), *self.labels.values())
        return tuple(dict.fromkeys(named))

    def time_format(self) -> TimeFormat:
        """Return what reads the instants. Raises ValueError for what `read_map` refuses."""
        zone = None if self.time.timezone is None else zone_of(self.time.timezone)
        return TimeFormat(self.time.format, zone)


def read_map(path: Path | None, preset: Mapping[str, Any] | None = None) -> ImportMap:
    """Return the map in the TOML file `path`, laid over `preset` table by table, or one of them.

    Raises MapError.
    """
    tables: dict[str, Any] = dict(preset or {})
    if path is not None:
        for name, value in _read_toml(path).items():
            base = tables.get(name)
            both = isinstance(base, Mapping) and isinstance(value, Mapping)
            tables[name] = {**base, **value} if both else value  # type: ignore[dict-item]
    called = "the preset" if path is None else str(path)
    try:
        found = typed(tables, ImportMap)
        _require_sound(found)
    # ValueError: also a number of more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise MapError(f"{called}: {' '.join(str(error).split())}") from error
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_BYTES + 1)
        if len(content) > LONGEST_BYTES:
            raise MapError(f"{path}: too large; accepted: at most {LONGEST_BYTES} bytes")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise MapError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MapError(f"{path}: {' '.join(str(error).split())}") from error


def _require_sound(found: ImportMap) -> None:
    """Raise ValueError for what the types alone let pass."""
    _require_fields("columns", found.columns, COLUMN_FIELDS)
    _require_fields("constants", found.constants, CONSTANT_FIELDS)
    _require_fields("values", found.values, tuple(found.columns))
    durations = tuple(name for name in DURATION_FIELDS if name in found.columns)
    _require_fields("units", found.units, durations)
    for name in durations:
        if name not in found.units:
            raise ValueError(f"units.{name} is missing; accepted: s, ms, us, ns")
    for name, value in found.constants.items():
        try:
            msgspec.convert(value, HINTS[name])
        except msgspec.ValidationError as error:
            raise ValueError(
                f"constants.{name} is {value!r}; accepted: {accepted(name)}"
            ) from error
    _require_time(found)
    _require_csv(found.csv)


def _require_fields(table: str, given: Mapping[str, object], fields: tuple[str, ...]) -> None:
    for name in given:
        if name not in fields:
            raise ValueError(
                f"{table}.{name} is no field that is taken here; accepted: "
                f"{', '.join(fields) or 'none, for columns has none of them'}"
            )


def _require_time(found: ImportMap) -> None:
    given = f"time.format is {found.time.format!r}"
    try:
        format_ = found.time_format()
    except TimePatternError as error:
        raise ValueError(f"{given}; accepted: {FORMATS_ACCEPTED}") from error
    except ValueError as error:
        raise ValueError(
            f"time.timezone is {error}; accepted: such as UTC, Europe/Berlin"
        ) from error
    if format_.needs_zone and found.time.timezone is None:
        raise ValueError(
            f"time.timezone is missing, and {given}, which names no offset; accepted: a zone "
            "such as UTC or Europe/Berlin, or a pattern with %z"
        )
    if not format_.takes_zone and found.time.timezone is not None:
        raise ValueError(
            f"time.timezone is {found.time.timezone!r}, and {given}, which needs none; accepted: "
            "one of the two"
        )


def _require_csv(found: CsvMap) -> None:
    accepted_ = "accepted: one ASCII character that is no line break"
    for name, value in (("delimiter", found.delimiter), ("quote", found.quote)):
        if value and (not value.isascii() or value in "\r\n\0"):
            raise ValueError(f"csv.{name} is {value!r}; {accepted_}")
    if found.delimiter in (found.quote, " ") and found.delimiter == found.quote:
        raise ValueError(f"csv.quote is {found.quote!r}, the delimiter; {accepted_}, and another")
    if found.header is not None and not found.header:
        raise ValueError("csv.header is empty; accepted: a name for each column")
