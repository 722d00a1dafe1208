"""What is paid for beside machine hours, as its owner declares it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from costs.money import MICROSECONDS_PER_HOUR
from costs.price import Machine


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
        hours = Fraction(self.to_us - self.from_us, MICROSECONDS_PER_HOUR)
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
