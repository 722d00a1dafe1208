"""Who charges, by what names, on which account: `finance.toml`, as its owner fills it in.

    [[provider]]
    cloud = "aws"                      # as nodes name it
    account_id = "acct-123456789012"   # with a letter: a bare number would be read as a number
    account_name = "Production"
    sub_account_id = "sub-inference"   # the last two may be left out
    sub_account_name = "Inference"
    name = "Amazon Web Services"       # as on the bill; needed for a cloud of your own only

A cloud that the file does not name has an account of its own name.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from costs.focus.errors import FocusError
from costs.focus.text import ascii_name, is_plain


@dataclass(frozen=True)
class Service:
    """What a provider sells, by the name on its bill, and where FOCUS puts it."""

    name: str
    category: str
    subcategory: str


@dataclass(frozen=True)
class Provider:
    """Who charges for a cloud, on which account, and what its services are called."""

    cloud: str
    name: str
    compute: Service
    network: Service
    object_storage: Service
    block_storage: Service
    cache: Service
    account_id: str
    account_name: str
    sub_account_id: str | None = None
    sub_account_name: str | None = None

    def storage(self, storage_class: str) -> Service:
        """Return the service that sells a class of storage."""
        return self.block_storage if storage_class.startswith("block") else self.object_storage


_NAMES: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "aws": (
        "Amazon Web Services",
        "Amazon Elastic Compute Cloud",
        "AWS Data Transfer",
        "Amazon Simple Storage Service",
        "Amazon Elastic Block Store",
        "Amazon ElastiCache",
    ),
    "azure": (
        "Microsoft Azure",
        "Azure Virtual Machines",
        "Azure Bandwidth",
        "Azure Blob Storage",
        "Azure Managed Disks",
        "Azure Cache for Redis",
    ),
    "gcp": (
        "Google Cloud",
        "Google Compute Engine",
        "Google Cloud Data Transfer",
        "Google Cloud Storage",
        "Google Persistent Disk",
        "Google Memorystore",
    ),
}

Plain = Annotated[str, Meta(min_length=1, max_length=128)]


class _Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cloud: Plain
    account_id: Plain
    account_name: Plain
    sub_account_id: Plain | None = None
    sub_account_name: Plain | None = None
    name: Plain | None = None


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: tuple[_Provider, ...] = ()


def provider_of(cloud: str) -> Provider:
    """Return the provider of `cloud` with an account of the same name."""
    called = ascii_name(cloud, "cloud")
    return _named(
        cloud,
        _NAMES.get(cloud)
        or (
            called,
            *(f"{called} {kind}" for kind in (
                "compute", "network", "object storage", "block storage", "cache"
            )),
        ),
    )  # fmt: skip


def parse_providers(text: str, name: str) -> Mapping[str, Provider]:
    """Return the providers in the TOML `text` by cloud; `name` is the file's. Raises FocusError."""
    try:
        declared = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise FocusError(f"{name}: {error}") from error
    found: dict[str, Provider] = {}
    for entry in declared.provider:
        where = f"{name}: provider {entry.cloud!r}"
        if entry.cloud in found:
            raise FocusError(f"{where} occurs twice; accepted: each cloud once")
        found[entry.cloud] = _declared(entry, where)
    return found


def _declared(entry: _Provider, where: str) -> Provider:
    for field in ("account_id", "account_name", "sub_account_id", "sub_account_name", "name"):
        value = getattr(entry, field)
        if value is not None and not (value.isascii() and is_plain(value)):
            raise FocusError(
                f"{where}: {field} is {value!r}; accepted: ASCII with a letter, such as "
                "acct-123456789012, and no placeholder"
            )
    if (entry.sub_account_id is None) != (entry.sub_account_name is None):
        raise FocusError(
            f"{where}: one of sub_account_id and sub_account_name is missing; accepted: both or "
            "neither"
        )
    known = provider_of(entry.cloud)
    return replace(
        known,
        name=entry.name or known.name,
        account_id=entry.account_id,
        account_name=entry.account_name,
        sub_account_id=entry.sub_account_id,
        sub_account_name=entry.sub_account_name,
    )


def _named(cloud: str, names: tuple[str, ...]) -> Provider:
    name, compute, network, objects, blocks, cache = names
    return Provider(
        cloud=cloud,
        name=name,
        compute=Service(compute, "Compute", "Virtual Machines"),
        network=Service(network, "Networking", "Network Connectivity"),
        object_storage=Service(objects, "Storage", "Object Storage"),
        block_storage=Service(blocks, "Storage", "Block Storage"),
        cache=Service(cache, "Databases", "Caching"),
        account_id=ascii_name(f"acct-{cloud}", "account"),
        account_name=f"{name} account",
    )
