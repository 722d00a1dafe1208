"""Dynamic batching: requests wait in queues, workers take batches.

Semantics of `docs/definitions.md`: FIFO within a priority; a batch leaves at max(earliest free
worker, min(arrival of the request that fills it, arrival of its head + delay)) and takes everything
that has arrived by then, at most max_batch_size items.
"""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inference_node.clock import Clock
from inference_node.errors import ExecutionError, InvalidRequestError, QueueFullError, RequestError
from inference_node.metering.busy_log import BusyLog
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from usage import Priority

logger = logging.getLogger(__name__)

PRIORITIES: tuple[Priority, ...] = ("high", "normal", "batch")


@dataclass(frozen=True)
class Execution:
    """How one request was executed: its outputs, and what its usage record says of the batch.

    `error` is set where the execution failed: the machine time it took is on record all the same.
    """

    outputs: Mapping[str, Tensor]
    worker: int
    batch_id: int
    batch_size: int
    began_us: int
    ended_us: int
    error: RequestError | None


@dataclass(eq=False)
class Job:
    """One request on its way through a queue. `inputs` have the batch as their first axis."""

    model: Model
    inputs: Mapping[str, Tensor]
    items: int
    priority: Priority
    arrived_us: int
    done: asyncio.Future[Execution]


@dataclass
class _Queue:
    """Jobs that may share a batch: one model version, one shape of every input."""

    model: Model
    jobs: dict[Priority, deque[Job]] = field(
        default_factory=lambda: {priority: deque() for priority in PRIORITIES}
    )
    items: int = 0

    def head(self) -> Job:
        return next(jobs[0] for jobs in self.jobs.values() if jobs)

    def leaves_at_us(self) -> int:
        batching = self.model.config.batching
        first = min(jobs[0].arrived_us for jobs in self.jobs.values() if jobs)
        if self.items >= batching.max_batch_size:
            return first
        return first + batching.max_queue_delay_microseconds

    def take(self) -> list[Job]:
        batch: list[Job] = []
        room = self.model.config.batching.max_batch_size
        for jobs in self.jobs.values():
            while jobs and jobs[0].items <= room:
                room -= jobs[0].items
                batch.append(jobs.popleft())
            if jobs:
                break
        self.items -= sum(job.items for job in batch)
        return batch


class Batcher:
    """Queues and workers of a node. Lives in the event loop; only execution is on other threads."""

    def __init__(self, clock: Clock, busy: BusyLog, *, workers: int, max_queue_size: int) -> None:
        self.workers = workers
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._max_queue_size = max_queue_size
        self._queues: dict[object, _Queue] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._batches = 0
        self.waiting = 0
        self._workers = [_Worker(number, busy, self._finished) for number in range(workers)]
        self._free = deque(self._workers)

    async def execute(
        self, model: Model, inputs: Mapping[str, Tensor], priority: Priority, arrived_us: int
    ) -> Execution:
        """Queue a request and return how it was executed.

        Raises QueueFullError, or InvalidRequestError for more items than a batch may hold.
        """
        items = len(next(iter(inputs.values())))
        limit = model.config.batching.max_batch_size
        if items > limit:
            raise InvalidRequestError(f"the request holds {items} items; accepted: at most {limit}")
        if self.waiting >= self._max_queue_size:
            raise QueueFullError(f"{self.waiting} requests wait already; try again later")
        job = Job(model, inputs, items, priority, arrived_us, self._loop.create_future())
        shapes = tuple((name, tensor.shape[1:]) for name, tensor in inputs.items())
        key = (model.name, model.version, shapes)
        waiting = self._queues.setdefault(key, _Queue(model))
        waiting.jobs[priority].append(job)
        waiting.items += items
        self.waiting += 1
        self._dispatch()
        return await job.done

    def close(self) -> None:
        """Stop the workers after what they execute now. Nothing may be queued any more."""
        for worker in self._workers:
            worker.stop()

    def _dispatch(self) -> None:
        """Give every free worker the batch that should leave first, if one may leave by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._free and self._queues:
            now_us = self._clock.now_us()
            ready = [
                (PRIORITIES.index(waiting.head().priority), waiting.head().arrived_us, key)
                for key, waiting in self._queues.items()
                if waiting.leaves_at_us() <= now_us
            ]
            if not ready:
                leaves_at_us = min(waiting.leaves_at_us() for waiting in self._queues.values())
                self._timer = self._loop.call_later((leaves_at_us - now_us) / 1e6, self._dispatch)
                return
            key = min(ready, key=lambda entry: entry[:2])[2]
            batch = self._queues[key].take()
            if not self._queues[key].items:
                del self._queues[key]
            self.waiting -= len(batch)
            self._batches += 1
            self._free.popleft().start(self._batches, batch)

    def _finished(self, worker: "_Worker", batch: list[Job], executions: list[Execution]) -> None:
        """Called on a worker's thread; all that follows happens in the loop."""
        self._loop.call_soon_threadsafe(self._free_and_answer, worker, batch, executions)

    def _free_and_answer(
        self, worker: "_Worker", batch: list[Job], executions: list[Execution]
    ) -> None:
        self._free.append(worker)
        self._dispatch()
        for job, execution in zip(batch, executions, strict=True):
            if not job.done.done():  # else nobody waits for it any more
                job.done.set_result(execution)


class _Worker:
    """One thread that executes one batch at a time."""

    def __init__(
        self,
        number: int,
        busy: BusyLog,
        finished: Callable[["_Worker", list[Job], list[Execution]], None],
    ) -> None:
        self._number = number
        self._busy = busy
        self._finished = finished
        self._batches: queue.SimpleQueue[tuple[int, list[Job]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"worker-{number}", daemon=True)
        self._thread.start()

    def start(self, batch_id: int, batch: list[Job]) -> None:
        self._batches.put((batch_id, batch))

    def stop(self) -> None:
        self._batches.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._batches.get()) is not None:
            batch_id, batch = work
            began_us = self._busy.begin(self._number)
            error: RequestError | None = None
            outputs: Sequence[Mapping[str, Tensor]] = [{} for _ in batch]
            try:
                outputs = _execute(batch)
            except RequestError as failure:
                error = failure
            except Exception:  # a defect must not take the worker's thread with it
                logger.exception("a defect in the node: batch %d", batch_id)
                error = ExecutionError("the batch failed")
            ended_us = self._busy.end(self._number)
            size = sum(job.items for job in batch)
            executions = [
                Execution(of_job, self._number, batch_id, size, began_us, ended_us, error)
                for of_job in outputs
            ]
            self._finished(self, batch, executions)


def _execute(batch: list[Job]) -> list[Mapping[str, Tensor]]:
    model = batch[0].model
    names = [spec.name for spec in model.session.outputs]
    if len(batch) == 1:
        inputs = batch[0].inputs
    else:
        inputs = {
            name: np.concatenate([job.inputs[name] for job in batch]) for name in batch[0].inputs
        }
    outputs = model.session.run(inputs, names)
    if model.config.batching.max_batch_size == 1:
        return [dict(zip(names, outputs, strict=True))]
    ends = np.cumsum([job.items for job in batch])
    for name, output in zip(names, outputs, strict=True):
        # Otherwise nobody could say which rows are whose.
        if output.shape[:1] != (ends[-1],):
            raise ExecutionError(
                f"output {name!r} has shape {list(output.shape)} for a batch of {ends[-1]}"
            )
    return [
        {name: output[end - job.items : end] for name, output in zip(names, outputs, strict=True)}
        for job, end in zip(batch, ends, strict=True)
    ]
