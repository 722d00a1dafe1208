"""What usage records add up to, exactly: the base of metrics, statistics and cost."""

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import add, attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_node.metering.histogram import WIDTH, Int64s, buckets_of
from usage import UsageRecord

UNKNOWN = "unknown"
ON_BEHALF = ("shadow", "cascade_attempt")

Version = tuple[str, str]
"""Name and version of a model."""

_GROUP = attrgetter(
    "model", "model_version", "variant", "priority", "pool", "status", "error", "cache", "route"
)
_NUMBERS = attrgetter(
    "batch_size", "arrived_at_us", "total_us", "queue_us", "compute_us", "items",
    "request_bytes", "response_bytes",
)  # fmt: skip
_NUMBERS_COUNT = 8
# Holds any batch size of a usage record.
_BATCH_SIZE_BITS = 20

_Key = tuple[str | None, str | None, str | None, str, str, int, str | None, str, str]


class Group(NamedTuple):
    """What records that are added up have in common; no value is one that a client made up."""

    model: str
    version: str
    priority: str
    pool: str
    status: int
    error: str
    cache: str
    route: str

    @property
    def of(self) -> Version:
        """The model version."""
        return self.model, self.version

    @property
    def is_request(self) -> bool:
        """Whether a client asked, rather than the node on behalf of another request."""
        return self.route not in ON_BEHALF

    @property
    def succeeded(self) -> bool:
        """Whether these are requests that were answered as asked."""
        return self.is_request and self.status < 400


class Sums(NamedTuple):
    """Sums over records; `item_us` is that of execution time x items (see `costs.BusyTime`)."""

    records: int = 0
    total_us: int = 0
    queue_us: int = 0
    compute_us: int = 0
    items: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    item_us: int = 0

    def plus(self, other: Sequence[int]) -> "Sums":
        """Return the sum of both, field by field."""
        return Sums(*map(add, self, other))


class Tally:
    """Adds up usage records by group and batch size; 0 stands for records outside any batch.

    A batch of k requests leaves k records. What they own of it, items / batch size, sums to one
    execution, and `item_us` / batch size to the time that the worker was busy: both are exact and
    need no memory of batches seen.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[Group, int], Sums] = {}
        self.last_arrived_at_us: dict[Version, int] = {}
        self._groups = _Groups()
        # Rows are groups, columns buckets.
        self._latency = self._queue = self._compute = np.zeros((0, WIDTH), np.int64)

    def fold(self, records: Sequence[UsageRecord]) -> None:
        """Add `records`."""
        if not records:
            return
        groups = np.fromiter(
            map(self._groups.__getitem__, map(_GROUP, records)), np.int64, len(records)
        )
        numbers = np.fromiter(
            chain.from_iterable(map(_NUMBERS, records)), np.int64, len(records) * _NUMBERS_COUNT
        ).reshape(-1, _NUMBERS_COUNT)
        batch_sizes, total_us, queue_us, compute_us = numbers[:, (0, 2, 3, 4)].T
        executed = batch_sizes > 0
        everywhere = np.ones_like(executed)
        self._latency = _counted(self._latency, len(self._groups), groups, total_us, everywhere)
        self._queue = _counted(self._queue, len(self._groups), groups, queue_us, executed)
        self._compute = _counted(self._compute, len(self._groups), groups, compute_us, executed)
        self._add(groups, numbers)

    def latency(self) -> Iterator[tuple[Group, Int64s]]:
        """Yield counts of `total_us` by bucket for each group."""
        return zip(self._groups.groups, self._latency, strict=True)

    def queue(self) -> Iterator[tuple[Group, Int64s]]:
        """Yield counts of `queue_us` by bucket for each group; executed requests only."""
        return zip(self._groups.groups, self._queue, strict=True)

    def compute(self) -> Iterator[tuple[Group, Int64s]]:
        """Yield counts of `compute_us` by bucket for each group; executed requests only."""
        return zip(self._groups.groups, self._compute, strict=True)

    def _add(self, groups: Int64s, numbers: Int64s) -> None:
        """Add rows of `_NUMBERS`: those of one group and batch size at once."""
        cells = groups << _BATCH_SIZE_BITS | numbers[:, 0]
        order = np.argsort(cells, kind="stable")
        cells, numbers = cells[order], numbers[order]
        begins = np.flatnonzero(np.diff(cells, prepend=-1))
        lengths = np.diff(begins, append=len(cells))
        item_us = numbers[:, 4] * numbers[:, 5]
        sums = np.add.reduceat(np.column_stack((numbers[:, 2:], item_us)), begins)
        last_us = np.maximum.reduceat(numbers[:, 1], begins)
        for cell, count, row, arrived_us in zip(
            cells[begins].tolist(), lengths.tolist(), sums.tolist(), last_us.tolist(), strict=True
        ):
            group = self._groups.groups[cell >> _BATCH_SIZE_BITS]
            key = group, cell & ((1 << _BATCH_SIZE_BITS) - 1)
            self.sums[key] = self.sums.get(key, Sums()).plus((count, *row))
            last = self.last_arrived_at_us
            last[group.of] = max(last.get(group.of, 0), arrived_us)


class _Groups(dict[_Key, int]):
    """The number of the group of a record, by what identifies it."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[Group] = []

    def __missing__(self, key: _Key) -> int:
        model, version, variant, priority, pool, status, error, cache, route = key
        if variant is None and (model, version) != (None, None):
            # Nobody has such a model: under its name, groups would grow without bound.
            return self[(None, None, None, priority, pool, status, error, cache, route)]
        group = Group(
            model or UNKNOWN, version or UNKNOWN, priority, pool, status, error or "", cache, route
        )
        self.groups.append(group)
        number = self[key] = len(self.groups) - 1
        return number


def _counted(
    counts: Int64s,
    groups_count: int,
    groups: Int64s,
    durations_us: Int64s,
    chosen: NDArray[np.bool_],
) -> Int64s:
    """Return `counts`, grown to `groups_count` rows, with the chosen durations counted."""
    if len(counts) < groups_count:
        more = np.zeros((groups_count - len(counts), WIDTH), np.int64)
        counts = np.concatenate((counts, more))
    cells = groups[chosen] * WIDTH + buckets_of(durations_us[chosen])
    np.add.at(counts.reshape(-1), cells, 1)
    return counts
