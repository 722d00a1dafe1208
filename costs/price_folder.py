"""A folder of price files as texts by name: what each holds, and all of them as one book."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from costs.catalogue import Catalogue
from costs.commitment_rules import commitment_rules
from costs.price_book import PriceBook
from costs.price_file import parse_prices
from costs.prices.commitment import parse_commitments
from costs.prices.instance_type import parse_instance_types
from costs.prices.interruption import parse_interruptions
from costs.prices.latency import parse_latencies
from costs.prices.override import NO_OVERRIDES, Overrides
from costs.prices.override_file import parse_overrides
from costs.prices.storage import parse_storage
from costs.prices.table import PriceFileError
from costs.prices.transfer import parse_transfers
from costs.resource_file import parse_resources
from costs.resources import Resources

INSTANCES = "instances.csv"
OVERRIDES = "prices.toml"
RESOURCES = "resources.toml"
INSTANCE_TYPES = "instance_types.csv"
COMMITMENTS = "commitments.csv"
TRANSFER = "transfer.csv"
STORAGE = "storage.csv"
REGION_LATENCY = "region_latency.csv"
INTERRUPTION = "interruption.csv"
MACHINE_FILES = (INSTANCES, OVERRIDES, RESOURCES)
PRICE_FILES = (
    *MACHINE_FILES,
    INSTANCE_TYPES,
    COMMITMENTS,
    TRANSFER,
    STORAGE,
    REGION_LATENCY,
    INTERRUPTION,
)

FactT = TypeVar("FactT")
BookT = TypeVar("BookT", Catalogue, PriceBook)


def parse_catalogue(texts: Mapping[str, str], folder: str) -> Catalogue:
    """Return the prices of machines in `texts` (by file name) with the user's rules over them.

    A declared commitment is such a rule for the reserved machines that it pays for.
    `folder` is named in errors. A file that is not there says nothing. Raises PriceFileError.
    """
    return _named(folder, lambda: _catalogue(texts, folder, _resources(texts, folder)))


def parse_book(texts: Mapping[str, str], folder: str) -> PriceBook:
    """Return everything in `texts` (by file name). As parse_catalogue otherwise."""
    return _named(folder, lambda: _book(texts, folder, _resources(texts, folder)))


def _catalogue(texts: Mapping[str, str], folder: str, resources: Resources) -> Catalogue:
    declared = (
        parse_overrides(texts[OVERRIDES], f"{folder}/{OVERRIDES}")
        if OVERRIDES in texts
        else NO_OVERRIDES
    )
    paid = commitment_rules(resources.commitments, RESOURCES)
    overrides = Overrides([*declared.rules, *paid], folder) if paid else declared
    return Catalogue(_facts(texts, folder, INSTANCES, parse_prices), overrides)


def _book(texts: Mapping[str, str], folder: str, resources: Resources) -> PriceBook:
    return PriceBook(
        _catalogue(texts, folder, resources),
        resources=resources,
        instance_types=_facts(texts, folder, INSTANCE_TYPES, parse_instance_types),
        commitments=_facts(texts, folder, COMMITMENTS, parse_commitments),
        transfers=_facts(texts, folder, TRANSFER, parse_transfers),
        storage=_facts(texts, folder, STORAGE, parse_storage),
        latencies=_facts(texts, folder, REGION_LATENCY, parse_latencies),
        interruptions=_facts(texts, folder, INTERRUPTION, parse_interruptions),
    )


def _resources(texts: Mapping[str, str], folder: str) -> Resources:
    if RESOURCES not in texts:
        return Resources()
    return parse_resources(texts[RESOURCES], f"{folder}/{RESOURCES}")


def _facts(
    texts: Mapping[str, str],
    folder: str,
    file: str,
    parse: Callable[[str, str], Iterable[FactT]],
) -> Iterable[FactT]:
    return parse(texts[file], f"{folder}/{file}") if file in texts else ()


def _named(folder: str, build: Callable[[], BookT]) -> BookT:
    try:
        return build()
    except PriceFileError:
        raise
    except ValueError as error:  # the same key twice
        raise PriceFileError(f"{folder}: {error}") from error
