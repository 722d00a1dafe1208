"""Jobs that may share a batch: one model version, one shape and datatype of every input."""

from collections import OrderedDict
from collections.abc import Iterator
from math import inf

from inference_node.models.config import BatchingConfig
from inference_node.scheduling.job import Job

NEVER_US = 2**63
AT_ONCE_US = 0
# Weight of the newest batch in the average: some ten batches are remembered.
NEWEST = 0.125


class JobQueue:
    """FIFO within a level, higher levels first; in a level, who is late comes after the others.

    A batch may leave when the waiting jobs hold `max_batch_size` items or more, when the delay has
    passed since the arrival of the earliest head of a level, or when jobs in their order, none
    skipped and none split, hold exactly a preferred number of items. In the first two cases it
    takes all that fits, in order; in the third the largest preferred number.

    `leaves_at_us` is when that is, should nothing else happen; `head` is who goes first.
    `average_us` is what its batches took of late, in CPU time.
    """

    def __init__(self, batching: BatchingConfig, levels: int) -> None:
        self._max_batch_size = batching.max_batch_size
        self._delay_us = batching.max_queue_delay_microseconds
        self._preferred = frozenset(
            size for size in batching.preferred_batch_size if size < batching.max_batch_size
        )
        self._largest_preferred = max(self._preferred, default=0)
        # Two for every level from 0 on: in time, late.
        self._ranks: list[OrderedDict[Job, None]] = [OrderedDict() for _ in range(2 * (levels + 1))]
        self._overdue_at_us = NEVER_US
        self.items = 0
        self.head: Job | None = None
        self.leaves_at_us = NEVER_US
        self.blocked = False
        self.average_us = inf
        self._item_us = 0.0

    def jobs(self) -> Iterator[Job]:
        """Yield the waiting jobs in the order in which they leave."""
        for jobs in self._ranks:
            yield from jobs

    def add(self, job: Job) -> None:
        """`job` waits behind the others of its level."""
        jobs = self._rank(job)
        # A job behind another one changes neither the head nor the delay.
        changed = not jobs or bool(self._preferred)
        jobs[job] = None
        self.items += job.items
        if changed:
            self._look()
        elif self.items >= self._max_batch_size:
            self.leaves_at_us = AT_ONCE_US

    def discard(self, job: Job) -> None:
        """`job` waits no longer and will not be executed."""
        del self._rank(job)[job]
        self.items -= job.items
        job.leave()
        self._look()

    def put_off(self, job: Job) -> None:
        """`job` is late: it waits behind the others of its level, for as long as it takes."""
        del self._rank(job)[job]
        job.late = True
        job.deadline = None
        self._rank(job)[job] = None
        self._look()

    def take(self, now_us: int, longest_us: int | None = None) -> list[Job]:
        """Return the jobs of the batch that may leave now; they wait no longer.

        With `longest_us` no more of them than have executed in that time of late, and at least one.
        """
        batch: list[Job] = []
        room = self._max_batch_size
        if self._preferred and self.items < room and now_us < self._overdue_at_us:
            room = self._preferred_size()
        if longest_us is not None and self._item_us:
            room = min(room, int(longest_us / self._item_us))
        for jobs in self._ranks:
            while jobs:
                job = next(iter(jobs))
                if job.items > room and (batch or longest_us is None):
                    break
                del jobs[job]
                room -= job.items
                self.items -= job.items
                job.leave()
                batch.append(job)
            if jobs:
                break
        self._look()
        return batch

    def executed(self, cpu_us: int, items: int = 1) -> None:
        """A batch of `items` of this queue took `cpu_us` of CPU time."""
        if self.average_us == inf:
            self.average_us = cpu_us
            self._item_us = cpu_us / items
        else:
            self.average_us += NEWEST * (cpu_us - self.average_us)
            self._item_us += NEWEST * (cpu_us / items - self._item_us)

    def _rank(self, job: Job) -> OrderedDict[Job, None]:
        return self._ranks[2 * job.level + job.late]

    def _look(self) -> None:
        """See again who is the head, and when a batch may leave."""
        head: Job | None = None
        first_us = NEVER_US
        for jobs in self._ranks:
            if jobs:
                job = next(iter(jobs))
                if head is None:
                    head = job
                if job.arrived_us < first_us:
                    first_us = job.arrived_us
        self.head = head
        self._overdue_at_us = self.leaves_at_us = first_us + self._delay_us
        if head is None:
            self.leaves_at_us = NEVER_US
        elif self.items >= self._max_batch_size or (self._preferred and self._preferred_size()):
            self.leaves_at_us = AT_ONCE_US

    def _preferred_size(self) -> int:
        """Return the largest preferred size that jobs in their order hold exactly, else 0."""
        best = size = 0
        for job in self.jobs():
            size += job.items
            if size > self._largest_preferred:
                break
            if size in self._preferred:
                best = size
        return best
