"""The first tier: answers in this process, least recently used out first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from cachetools import LRUCache

from inference_node.cache.entry import Entry
from inference_node.clock import Clock
from inference_node.models.session import Tensor

# What Python keeps per entry, per tensor and per element of a BYTES tensor besides the values:
# about a tenth more than tracemalloc saw.
ENTRY_BYTES = 600
TENSOR_BYTES = 200
ELEMENT_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Kept:
    entry: Entry
    size_bytes: int


class _Lru(LRUCache[bytes, _Kept]):
    """Counts what it had to push out."""

    def __init__(self, maxsize: int) -> None:
        super().__init__(maxsize, getsizeof=lambda kept: kept.size_bytes)
        self.evictions = 0

    def popitem(self) -> tuple[bytes, _Kept]:
        self.evictions += 1
        return super().popitem()


class MemoryTier:
    """At most `max_bytes` of answers. Lives in the event loop: every call is O(1) in the entries.

    An expired answer goes when it is asked for or when its turn as the least recently used has
    come: dropping all that expired at once would hold up the loop.
    """

    def __init__(self, max_bytes: int, clock: Clock) -> None:
        self._clock = clock
        self._lru = _Lru(max_bytes)

    @property
    def entries(self) -> int:
        """How many answers are kept."""
        return len(self._lru)

    @property
    def size_bytes(self) -> int:
        """How much they take, about."""
        return int(self._lru.currsize)

    @property
    def evictions(self) -> int:
        """How many were pushed out to make room."""
        return self._lru.evictions

    def lookup(self, key: bytes) -> Mapping[str, Tensor] | None:
        """Return the outputs kept under `key`, read-only, None where there are none."""
        try:
            kept = self._lru[key]
        except KeyError:
            return None
        if self._clock.now_us() >= kept.entry.expires_at_us:
            del self._lru[key]
            return None
        return kept.entry.outputs

    def store(self, key: bytes, entry: Entry) -> None:
        """Keep copies of the outputs of `entry`, unless they are more than the tier may hold.

        Copies, since an output may be a slice that keeps the whole batch in memory.
        """
        size = ENTRY_BYTES + sum(map(_size_bytes, entry.outputs.values()))
        self._lru.pop(key, None)
        if size > self._lru.maxsize or self._clock.now_us() >= entry.expires_at_us:
            return
        copies = {name: _copy(tensor) for name, tensor in entry.outputs.items()}
        kept = Entry(copies, entry.stored_at_us, entry.expires_at_us)
        self._lru[key] = _Kept(kept, size)


def _size_bytes(tensor: Tensor) -> int:
    size = TENSOR_BYTES + tensor.nbytes
    if tensor.dtype.kind == "O":
        # Text takes up to four bytes a character.
        size += sum(ELEMENT_BYTES + 4 * len(element) for element in tensor.ravel().tolist())
    return size


def _copy(tensor: Tensor) -> Tensor:
    copy = np.array(tensor, order="C")
    copy.flags.writeable = False
    return copy
