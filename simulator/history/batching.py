"""The queue of one node: which requests execute together, when, for how long.

The rule is that of docs/definitions.md: a batch leaves as soon as a worker is free and either it is
full or its oldest request has waited for the longest delay; it takes all that wait by then, as many
as it may. Versions never share a batch; of those that could leave, the one goes whose time came
first. Priorities change nothing here.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from simulator.history.story import Version
from simulator.workload import Floats, Integers

_DUE = attrgetter("due_us")


@dataclass(frozen=True)
class Executions:
    """What became of n requests, as arrays of shape [n].

    `began_us` is the start of the batch of each, or when it was refused; `batch_id` is 0 and
    `batch_size` (in items) 0 for those that were refused.
    """

    began_us: Integers
    compute_us: Integers
    batch_id: Integers
    batch_size: Integers
    worker: Integers


class _Queue:
    """The requests of one version, in order of arrival: `places[head]` is the next to be served.

    `due_us` is when the next batch may leave: it is full, or its head has waited long enough.
    """

    def __init__(
        self, version: Version, places: list[int], arrived: list[int], size: list[int]
    ) -> None:
        self.places = places
        self.head = 0
        self.most = version.max_batch_size
        self.timeout_us = version.queue_timeout_us
        self.medians = [0.0, *(version.curve.median(n + 1) for n in range(self.most))]
        self._delay_us = version.max_queue_delay_us
        self._arrived, self._size = arrived, size
        self.due_us = self._due_us()

    def served(self, head: int) -> bool:
        """Go on with `head`; return whether there is one."""
        self.head = head
        if head == len(self.places):
            return False
        self.due_us = self._due_us()
        return True

    def _due_us(self) -> int:
        places, arrived, number, total = self.places, self._arrived, self.head, 0
        due_us = arrived[places[number]] + self._delay_us
        while number < len(places) and arrived[places[number]] <= due_us:
            total += self._size[places[number]]
            if total >= self.most:
                # Full, or the next one does not fit.
                return arrived[places[number]]
            number += 1
        return due_us


def execute(
    arrived_us: Integers,
    version: Integers,
    items: Integers,
    work: Floats,
    *,
    versions: Sequence[Version],
    workers: int,
) -> Executions:
    """Return what becomes of n requests, in order of arrival, that find `workers` idle workers.

    `version` says by number which of `versions` each asks for. A batch takes the median time of its
    size times the largest `work` in it. A request has at most `max_batch_size` items.
    """
    arrived, size, effort = arrived_us.tolist(), items.tolist(), work.tolist()
    began, compute = arrived_us.tolist(), [0] * len(arrived)
    batch_of, size_of, worker_of = [0] * len(arrived), [0] * len(arrived), [0] * len(arrived)
    queues = [
        _Queue(found, places, arrived, size)
        for number, found in enumerate(versions)
        if (places := np.flatnonzero(version == number).tolist())
    ]
    free = [(0, number) for number in range(workers)]
    batch_id = 0
    while queues:
        queue = queues[0] if len(queues) == 1 else min(queues, key=_DUE)
        free_us, worker = free[0]
        leave_us = max(free_us, queue.due_us)
        places, end = queue.places, queue.head
        head_us = arrived[places[end]]
        if leave_us - head_us > queue.timeout_us:
            began[places[end]] = head_us + queue.timeout_us
            end += 1
        else:
            batch_id += 1
            total, longest = 0, 0.0
            while end < len(places):
                place = places[end]
                if arrived[place] > leave_us or total + size[place] > queue.most:
                    break
                total += size[place]
                if effort[place] > longest:
                    longest = effort[place]
                end += 1
            length = max(1, round(queue.medians[total] * longest))
            for place in places[queue.head : end]:
                began[place], compute[place] = leave_us, length
                batch_of[place], size_of[place], worker_of[place] = batch_id, total, worker
            heapq.heapreplace(free, (leave_us + length, worker))
        if not queue.served(end):
            queues.remove(queue)
    columns = (began, compute, batch_of, size_of, worker_of)
    return Executions(*(np.array(column, np.int64) for column in columns))
