"""Jobs whose time in the queue will be up, the next one first."""

import heapq
from itertools import count

from inference_node.scheduling.job import Deadline, Job
from inference_node.scheduling.job_queue import JobQueue
from inference_node.scheduling.model_queues import ModelQueues

# Deadlines of jobs that left are swept out when there are more than this and than of those waiting.
SWEPT_FROM = 64


class Deadlines:
    """A heap; a job that leaves its queue marks its deadline, which is dropped later.

    Adding costs O(log n), and memory stays in proportion to the jobs that wait.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Deadline, ModelQueues, JobQueue]] = []
        self._numbers = count()

    def add(
        self, job: Job, at_us: int, queues: ModelQueues, queue: JobQueue, *, waiting: int
    ) -> None:
        """The time of `job` in `queue` is up at `at_us`; `waiting` jobs wait in all."""
        if len(self._heap) > 2 * waiting + SWEPT_FROM:
            self._heap = [entry for entry in self._heap if entry[2].job is not None]
            heapq.heapify(self._heap)
        job.deadline = Deadline(at_us, job)
        heapq.heappush(self._heap, (at_us, next(self._numbers), job.deadline, queues, queue))

    @property
    def next_us(self) -> int | None:
        """When the next job's time is up, None when there is none."""
        while self._heap and self._heap[0][2].job is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[Job, ModelQueues, JobQueue]:
        """Return the job that `next_us` speaks of, and where it waits."""
        _, _, deadline, queues, queue = heapq.heappop(self._heap)
        assert deadline.job is not None, "next_us was not asked"
        return deadline.job, queues, queue
