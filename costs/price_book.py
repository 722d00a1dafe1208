"""Everything that is known of prices, looked up by what it is of and an instant."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from costs.catalogue import Catalogue
from costs.price import PriceMissingError
from costs.prices.commitment import CommitmentKey, CommitmentOffer
from costs.prices.dated import Dated, words
from costs.prices.instance_type import InstanceType, TypeKey
from costs.prices.interruption import Interruption, InterruptionKey
from costs.prices.latency import LatencyKey, RegionLatency
from costs.prices.storage import StorageKey, StoragePrice
from costs.prices.transfer import (
    INGRESS,
    INTER_ZONE,
    INTERNET,
    OTHER_REGIONS,
    TransferKey,
    TransferPrice,
)
from costs.resources import Resources

PLACES = (INTERNET, INTER_ZONE, INGRESS)

NOTHING_DECLARED = Resources()


class PriceBook:
    """The price catalogue. Raises ValueError where a key has two facts at the same instant.

    Every mapping is by the `key` of its facts. `resources` are what the user declared to pay for.
    """

    def __init__(
        self,
        machines: Catalogue,
        *,
        instance_types: Iterable[InstanceType] = (),
        commitments: Iterable[CommitmentOffer] = (),
        transfers: Iterable[TransferPrice] = (),
        storage: Iterable[StoragePrice] = (),
        latencies: Iterable[RegionLatency] = (),
        interruptions: Iterable[Interruption] = (),
        resources: Resources = NOTHING_DECLARED,
    ) -> None:
        self.machines = machines
        self.resources = resources
        self.instance_types: Mapping[TypeKey, InstanceType] = _by_key(
            instance_types, lambda t: t.key
        )
        self.commitments: Dated[CommitmentKey, CommitmentOffer] = Dated(
            commitments, lambda c: c.key
        )
        self.transfers: Dated[TransferKey, TransferPrice] = Dated(transfers, lambda t: t.key)
        self.storage: Dated[StorageKey, StoragePrice] = Dated(storage, lambda s: s.key)
        self.latencies: Mapping[LatencyKey, RegionLatency] = _by_key(latencies, lambda x: x.key)
        self.interruptions: Mapping[InterruptionKey, Interruption] = _by_key(
            interruptions, lambda i: i.key
        )
        self._commitment_keys: dict[tuple[str, str, str], list[CommitmentKey]] = {}
        for key in self.commitments.known():
            self._commitment_keys.setdefault(key[:3], []).append(key)

    def transfer_at(self, cloud: str, region: str, to: str, instant_us: int) -> TransferPrice:
        """Return the price of bytes from `region` to a place or another region of the cloud.

        `to` is "internet", "inter_zone", "ingress" (what comes in to `region`) or a region; where
        the file does not name that one, its price to other regions. Raises PriceMissingError.
        """
        found = self.transfers.at((cloud, region, to), instant_us)
        if found is None and to not in PLACES and to != region:
            found = self.transfers.at((cloud, region, OTHER_REGIONS), instant_us)
        if found is None:
            raise PriceMissingError(f"no price for transfer from {cloud} {region} to {to}")
        return found

    def storage_at(
        self, cloud: str, region: str, storage_class: str, instant_us: int
    ) -> StoragePrice:
        """Return the price of keeping bytes in a class of storage. Raises PriceMissingError."""
        found = self.storage.at((cloud, region, storage_class), instant_us)
        if found is None:
            raise PriceMissingError(f"no price for {storage_class} storage in {cloud} {region}")
        return found

    def commitments_at(
        self, cloud: str, region: str, instance_type: str, instant_us: int
    ) -> list[CommitmentOffer]:
        """Return every commitment to a machine on offer at `instant_us`, cheapest hour first."""
        keys = self._commitment_keys.get((cloud, region, instance_type), ())
        found = [c for key in keys if (c := self.commitments.at(key, instant_us)) is not None]
        return sorted(found, key=lambda c: (c.effective, c.key))

    def changes(self) -> list[int]:
        """Return every instant (microseconds, UTC, ascending) at which some price begins.

        Between two of them all prices are constant; the first interval begins at 0.
        """
        return list(self._changes)

    @cached_property
    def _changes(self) -> list[int]:
        begins = self.transfers.begins() | self.storage.begins() | self.commitments.begins()
        return sorted(begins.union(self.machines.changes()))


Key = TypeVar("Key")
FactT = TypeVar("FactT")


def _by_key(facts: Iterable[FactT], key: Callable[[FactT], Key]) -> Mapping[Key, FactT]:
    found: dict[Key, FactT] = {}
    for fact in facts:
        if key(fact) in found:
            raise ValueError(f"{words(key(fact))}: stands there twice")
        found[key(fact)] = fact
    return found
