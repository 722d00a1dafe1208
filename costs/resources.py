"""What is paid for beside machine hours: `resources.toml` among the prices, as its owner says.

    [[commitment]]            # paid whether used or not
    id = "ri-2026-1"          # as on the provider's bill
    cloud = "aws"
    region = "us-east-1"
    instance_type = "c7i.xlarge"
    count = 2                 # machines
    term_years = 1            # 1 or 3
    from = 2026-01-01         # ends after its term
    usd_per_hour = "0.1124"   # for one machine, beside what was paid upfront
    upfront_usd = "0"         # for one machine and the whole term

    [[storage]]
    name = "model repository"
    cloud = "aws"
    region = "us-east-1"
    storage_class = "object_standard"
    gb = "12.5"               # of 10^9 bytes
    from = 2026-01-01
    to = 2026-12-01           # exclusive; without it: until further notice
    usd_per_gb_month = "0.02" # without it: the price in the catalogue

    [[cache]]
    name = "redis"
    cloud = "aws"
    region = "us-east-1"
    usd_per_hour = "0.068"
    from = 2026-01-01

    [archive]                 # where the Parquet files of this product lie; without it: not priced
    cloud = "aws"
    region = "us-east-1"
    storage_class = "object_standard"

    [network]
    egress_to = "internet"    # or "none" where answers leave no network that is billed

Amounts are strings, since a binary fraction is not what the contract says. Dates are UTC days.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from costs.money import MICRO_USD_PER_USD
from costs.price import Machine

BYTES_PER_GB = 10**9
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
OLDEST, NEWEST = date(2000, 1, 1), date(2100, 1, 1)

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class ResourceError(ValueError):
    """A resources file that cannot be used; the message names file, entry, field and value."""


@dataclass(frozen=True)
class Commitment:
    """`count` machines paid for from `from_us` to `to_us` (exclusive), used or not.

    `micro_usd_per_hour` recurs for each machine, `upfront_micro_usd` was paid for each once.
    """

    commitment_id: str
    machine: Machine
    count: int
    term_years: int
    from_us: int
    to_us: int
    micro_usd_per_hour: int
    upfront_micro_usd: int

    @property
    def effective_micro_usd_per_hour(self) -> Fraction:
        """What an hour of one machine costs with the upfront payment spread over the term."""
        hours = Fraction(self.to_us - self.from_us, HOUR_US)
        return self.micro_usd_per_hour + self.upfront_micro_usd / hours


@dataclass(frozen=True)
class Storage:
    """Bytes at rest. `micro_usd_per_gb_month` is None for the catalogue's price."""

    name: str
    cloud: str
    region: str
    storage_class: str
    stored_bytes: int
    from_us: int
    to_us: int | None
    micro_usd_per_gb_month: int | None


@dataclass(frozen=True)
class CacheService:
    """What holds answers beside the nodes, a Redis for example, for `micro_usd_per_hour`."""

    name: str
    cloud: str
    region: str
    micro_usd_per_hour: int
    from_us: int
    to_us: int | None


@dataclass(frozen=True)
class StoragePlace:
    """Where something is stored that this product itself writes."""

    cloud: str
    region: str
    storage_class: str


@dataclass(frozen=True)
class Resources:
    """Everything that a resources file declares. The default is that of no file."""

    commitments: tuple[Commitment, ...] = ()
    storage: tuple[Storage, ...] = ()
    caches: tuple[CacheService, ...] = ()
    archive: StoragePlace | None = None
    egress_to: Literal["internet", "none"] = "internet"


class _Commitment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Name
    cloud: Name
    region: Name
    instance_type: Name
    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    term_years: Literal[1, 3]
    begin: date = msgspec.field(name="from")
    usd_per_hour: str
    upfront_usd: str = "0"


class _Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    cloud: Name
    region: Name
    storage_class: Name
    gb: str
    begin: date = msgspec.field(name="from")
    end: date | None = msgspec.field(name="to", default=None)
    usd_per_gb_month: str | None = None


class _Cache(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    cloud: Name
    region: Name
    usd_per_hour: str
    begin: date = msgspec.field(name="from")
    end: date | None = msgspec.field(name="to", default=None)


class _Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cloud: Name
    region: Name
    storage_class: Name


class _Network(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    egress_to: Literal["internet", "none"] = "internet"


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    commitment: tuple[_Commitment, ...] = ()
    storage: tuple[_Storage, ...] = ()
    cache: tuple[_Cache, ...] = ()
    archive: _Place | None = None
    network: _Network = _Network()


def parse_resources(text: str, name: str) -> Resources:
    """Return what the TOML `text` declares; `name` is the file's name. Raises ResourceError."""
    try:
        declared = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ResourceError(f"{name}: {error}") from error
    _once((entry.id for entry in declared.commitment), f"{name}: commitment", "id")
    _once((entry.name for entry in declared.storage), f"{name}: storage", "name")
    _once((entry.name for entry in declared.cache), f"{name}: cache", "name")
    archive = declared.archive
    return Resources(
        commitments=tuple(_commitment(entry, name) for entry in declared.commitment),
        storage=tuple(_storage(entry, name) for entry in declared.storage),
        caches=tuple(_cache(entry, name) for entry in declared.cache),
        archive=None
        if archive is None
        else StoragePlace(archive.cloud, archive.region, archive.storage_class),
        egress_to=declared.network.egress_to,
    )


def _commitment(entry: _Commitment, name: str) -> Commitment:
    where = f"{name}: commitment {entry.id!r}"
    begin = entry.begin
    _span(begin, None, where)
    # The 29th of February has no anniversary: the term ends on the day after the 28th.
    last = date(begin.year + entry.term_years, 3, 1) if (begin.month, begin.day) == (2, 29) else (
        begin.replace(year=begin.year + entry.term_years)
    )  # fmt: skip
    return Commitment(
        commitment_id=entry.id,
        machine=Machine(entry.cloud, entry.region, entry.instance_type, "reserved"),
        count=entry.count,
        term_years=entry.term_years,
        from_us=_instant(begin),
        to_us=_instant(last),
        micro_usd_per_hour=_micro(entry.usd_per_hour, f"{where}: usd_per_hour"),
        upfront_micro_usd=_micro(entry.upfront_usd, f"{where}: upfront_usd"),
    )


def _storage(entry: _Storage, name: str) -> Storage:
    where = f"{name}: storage {entry.name!r}"
    _span(entry.begin, entry.end, where)
    price = entry.usd_per_gb_month
    return Storage(
        name=entry.name,
        cloud=entry.cloud,
        region=entry.region,
        storage_class=entry.storage_class,
        stored_bytes=_whole(entry.gb, BYTES_PER_GB, f"{where}: gb", "gigabytes"),
        from_us=_instant(entry.begin),
        to_us=None if entry.end is None else _instant(entry.end),
        micro_usd_per_gb_month=(
            None if price is None else _micro(price, f"{where}: usd_per_gb_month")
        ),
    )


def _cache(entry: _Cache, name: str) -> CacheService:
    where = f"{name}: cache {entry.name!r}"
    _span(entry.begin, entry.end, where)
    return CacheService(
        name=entry.name,
        cloud=entry.cloud,
        region=entry.region,
        micro_usd_per_hour=_micro(entry.usd_per_hour, f"{where}: usd_per_hour"),
        from_us=_instant(entry.begin),
        to_us=None if entry.end is None else _instant(entry.end),
    )


def _once(names: Iterable[str], where: str, field: str) -> None:
    seen: set[str] = set()
    for value in names:
        if value in seen:
            raise ResourceError(f"{where}: {field} {value!r} occurs twice; accepted: each once")
        seen.add(value)


def _span(begin: date, end: date | None, where: str) -> None:
    for field, day in (("from", begin), ("to", end)):
        if day is not None and not OLDEST <= day < NEWEST:
            raise ResourceError(f"{where}: {field} is {day}; accepted: {OLDEST} to {NEWEST}")
    if end is not None and end <= begin:
        raise ResourceError(f"{where}: to is {end}; accepted: a day after from, {begin}")


def _instant(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _micro(text: str, where: str) -> int:
    return _whole(text, MICRO_USD_PER_USD, where, "USD")


def _whole(text: str, per_unit: int, where: str, unit: str) -> int:
    places = len(str(per_unit)) - 1
    try:
        amount = Decimal(text) * per_unit
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise ResourceError(
            f"{where} is {text!r}; accepted: {unit}, zero or more, at most {places} decimals"
        )
    if amount > 10**15:
        raise ResourceError(f"{where} is {text!r}; accepted: at most {10**15 // per_unit} {unit}")
    return int(amount)
