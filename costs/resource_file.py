"""The file `resources.toml` among the prices: what is paid for beside machine hours.

    [[commitment]]            # paid whether used or not
    id = "ri-2026-1"          # as on the provider's bill
    cloud = "aws"
    region = "us-east-1"
    instance_type = "c7i.xlarge"
    count = 2                 # machines
    term_years = 1            # 1 or 3
    from = 2026-01-01         # ends after its term
    usd_per_hour = 0.1124     # for one machine, beside what was paid upfront
    upfront_usd = 0           # for one machine and the whole term

    [[storage]]
    name = "model repository"
    cloud = "aws"
    region = "us-east-1"
    storage_class = "object_standard"
    gb = 12.5                 # of 10^9 bytes
    from = 2026-01-01
    to = 2026-12-01           # exclusive; without it: until further notice
    usd_per_gb_month = 0.02   # without it: the price in the catalogue

    [[cache]]
    name = "redis"
    cloud = "aws"
    region = "us-east-1"
    usd_per_hour = 0.068
    from = 2026-01-01

    [archive]                 # where the Parquet files of this product lie; without it: not priced
    cloud = "aws"
    region = "us-east-1"
    storage_class = "object_standard"

    [network]
    egress_to = "internet"    # or "none" where answers leave no network that is billed

Amounts are the decimals that the file writes, in quotes or without. Dates are UTC days.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import starmap
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from costs.money import MICRO_USD_PER_USD
from costs.price import Machine
from costs.prices.table import BYTE_ORDER_MARK, PriceFileError, day_us
from costs.prices.units import ACCEPTED, GB, exact
from costs.resources import CacheService, Commitment, Resources, Storage, StoragePlace

OLDEST, NEWEST = date(2000, 1, 1), date(2100, 1, 1)

Name = Annotated[str, Meta(pattern=r"\S", max_length=128)]
# What facts and prices are found by: no pattern, and no space at its ends, meets anything there.
Key = Annotated[str, Meta(pattern=r"^[^\s*?\[\]]([^*?\[\]]*[^\s*?\[\]])?$", max_length=128)]


class _Commitment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Name
    cloud: Key
    region: Key
    instance_type: Key
    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    term_years: Literal[1, 3]
    begin: date = msgspec.field(name="from")
    usd_per_hour: object
    upfront_usd: object = 0


class _Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    cloud: Key
    region: Key
    storage_class: Key
    gb: object
    begin: date = msgspec.field(name="from")
    end: date | None = msgspec.field(name="to", default=None)
    usd_per_gb_month: object = None


class _Cache(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    cloud: Key
    region: Key
    usd_per_hour: object
    begin: date = msgspec.field(name="from")
    end: date | None = msgspec.field(name="to", default=None)


class _Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cloud: Key
    region: Key
    storage_class: Key


class _Network(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    egress_to: Literal["internet", "none"] = "internet"


EntryT = TypeVar("EntryT", bound=Struct)
# The tables of the file, and the field that tells entries of a kind apart.
LISTS = {"commitment": "id", "storage": "name", "cache": "name"}
KINDS = (*LISTS, "archive", "network")


def parse_resources(text: str, name: str) -> Resources:
    """Return what the TOML `text` declares; `name` is the file's name. Raises PriceFileError."""
    try:
        document = tomllib.loads(text.removeprefix(BYTE_ORDER_MARK), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PriceFileError(f"{name}: {error}") from error
    for kind in document:
        if kind not in KINDS:
            raise PriceFileError(f"{name}: {kind!r} is unknown; accepted: {', '.join(KINDS)}")
    archive = None
    if "archive" in document:
        place = _read(document["archive"], _Place, f"{name}: archive")
        archive = StoragePlace(place.cloud, place.region, place.storage_class)
    return Resources(
        commitments=tuple(
            starmap(_commitment, _entries(document, "commitment", _Commitment, name))
        ),
        storage=tuple(starmap(_storage, _entries(document, "storage", _Storage, name))),
        caches=tuple(starmap(_cache, _entries(document, "cache", _Cache, name))),
        archive=archive,
        egress_to=_read(document.get("network", {}), _Network, f"{name}: network").egress_to,
    )


def _entries(
    document: Mapping[str, object], kind: str, type_: type[EntryT], name: str
) -> Iterator[tuple[EntryT, str]]:
    """Yield the tables [[kind]] and where each stands for error messages."""
    tables = document.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PriceFileError(f"{name}: {kind} is no list of tables; accepted: [[{kind}]]")
    seen: set[object] = set()
    for number, table in enumerate(tables, 1):
        field = LISTS[kind]
        value = table.get(field)
        where = f"{name}: {kind} {number}" + (f" ({value!r})" if field in table else "")
        entry = _read(table, type_, where)
        if value in seen:
            raise PriceFileError(f"{where}: {field} occurs twice; accepted: each once")
        seen.add(value)
        yield entry, where


def _read(table: object, type_: type[EntryT], where: str) -> EntryT:
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        raise PriceFileError(f"{where}: {error}") from error


def _commitment(entry: _Commitment, where: str) -> Commitment:
    begin = entry.begin
    _check_span(begin, None, where)
    # The 29th of February has no anniversary: the term ends on the day after the 28th.
    leap_day = (begin.month, begin.day) == (2, 29)
    anniversary = begin + timedelta(days=1) if leap_day else begin
    return Commitment(
        commitment_id=entry.id,
        machine=Machine(entry.cloud, entry.region, entry.instance_type, "reserved"),
        count=entry.count,
        term_years=entry.term_years,
        from_us=day_us(begin),
        to_us=day_us(anniversary.replace(year=begin.year + entry.term_years)),
        micro_usd_per_hour=_micro_usd(entry.usd_per_hour, f"{where}: usd_per_hour"),
        upfront_micro_usd=_micro_usd(entry.upfront_usd, f"{where}: upfront_usd"),
    )


def _storage(entry: _Storage, where: str) -> Storage:
    _check_span(entry.begin, entry.end, where)
    price = entry.usd_per_gb_month
    return Storage(
        name=entry.name,
        cloud=entry.cloud,
        region=entry.region,
        storage_class=entry.storage_class,
        stored_bytes=_whole(entry.gb, GB, f"{where}: gb", f"gigabytes, {ACCEPTED}"),
        from_us=day_us(entry.begin),
        to_us=None if entry.end is None else day_us(entry.end),
        micro_usd_per_gb_month=(
            None if price is None else _micro_usd(price, f"{where}: usd_per_gb_month")
        ),
    )


def _cache(entry: _Cache, where: str) -> CacheService:
    _check_span(entry.begin, entry.end, where)
    return CacheService(
        name=entry.name,
        cloud=entry.cloud,
        region=entry.region,
        micro_usd_per_hour=_micro_usd(entry.usd_per_hour, f"{where}: usd_per_hour"),
        from_us=day_us(entry.begin),
        to_us=None if entry.end is None else day_us(entry.end),
    )


def _check_span(begin: date, end: date | None, where: str) -> None:
    for field, day in (("from", begin), ("to", end)):
        if day is not None and not OLDEST <= day < NEWEST:
            raise PriceFileError(f"{where}: {field} is {day}; accepted: {OLDEST} to {NEWEST}")
    if end is not None and end <= begin:
        raise PriceFileError(f"{where}: to is {end}; accepted: a day after from, {begin}")


def _micro_usd(amount: object, where: str) -> int:
    return _whole(amount, MICRO_USD_PER_USD, where, f"USD, {ACCEPTED}, at most six decimals")


def _whole(amount: object, parts: int, where: str, accepted: str) -> int:
    """Return `amount`, a decimal in quotes or without, as a whole number of `parts` of one."""
    try:
        value = exact(str(amount)) * parts
    except ValueError:
        value = None
    if value is None or value.denominator != 1:
        raise PriceFileError(f"{where} is {amount!s}; accepted: {accepted}")
    return int(value)
