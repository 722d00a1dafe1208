"""A pool of workers on one device: who waits for it, and who is next.

Semantics of `docs/definitions.md`: FIFO within a priority; a batch leaves at max(earliest free
worker and session, min(arrival of the request that fills it, arrival of its head + delay)) and
takes everything that has arrived by then, at most max_batch_size items. A model without a free
session waits alone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from inference_node.clock import Clock
from inference_node.errors import (
    InvalidRequestError,
    QueueFullError,
    QueueTimeoutError,
    RequestError,
    StoppingError,
)
from inference_node.metering.busy_log import BusyLog
from inference_node.models.repository import Model
from inference_node.models.session import Session, Tensor
from inference_node.scheduling.backlog import Backlog
from inference_node.scheduling.batch import Batch
from inference_node.scheduling.deadlines import Deadlines
from inference_node.scheduling.job import Execution, Job
from inference_node.scheduling.job_queue import NEVER_US, JobQueue
from inference_node.scheduling.levels import BACKGROUND
from inference_node.scheduling.model_queues import ModelQueues
from inference_node.scheduling.sessions import Sessions
from inference_node.scheduling.worker import Worker
from usage import Pool as Device
from usage import Priority

# A background batch is not longer than this where smaller ones do: it may be waited for, on a GPU,
# and the answers of a large one come all at once.
LONGEST_BACKGROUND_US = 5_000


class Pool:
    """Queues and workers. Lives in the event loop; only execution is on other threads.

    On a CPU, batches of a queue that took less than `inline_below_us` of CPU time of late are
    executed in the loop itself: handing them to a thread would take longer (0: never). Its
    background work gives its worker back at once when a real-time batch is ready; a GPU cannot, so
    there no background batch starts while real-time work waits.
    """

    def __init__(
        self,
        clock: Clock,
        busy: BusyLog,
        backlog: Backlog,
        sessions_of: Callable[[Model], Sessions],
        *,
        device: Device = "cpu",
        workers: int = 1,
        first_worker: int = 0,
        inline_below_us: int = 100,
    ) -> None:
        self.device = device
        self.workers = workers
        self.waiting = 0
        self._clock = clock
        self._busy = busy
        self._backlog = backlog
        self._sessions_of = sessions_of
        self._inline_below_us = inline_below_us if device == "cpu" else 0
        self._loop = asyncio.get_running_loop()
        self._models: dict[int, ModelQueues] = {}
        # Those in which somebody waits, and whose they are.
        self._real_time: dict[JobQueue, ModelQueues] = {}
        self._background: dict[JobQueue, ModelQueues] = {}
        self._deadlines = Deadlines()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = NEVER_US
        self._soon = False
        self._closed = False
        self._workers = [
            Worker(number, self._work) for number in range(first_worker, first_worker + workers)
        ]
        self._free = list(reversed(self._workers))
        self._in_background: list[Worker] = []  # and nothing else: they can be taken over
        self._number = {worker.number: worker for worker in self._workers}
        backlog.idle_workers.add(workers)

    @property
    def busy(self) -> int:
        """How many workers execute."""
        return self.workers - len(self._free)

    def waiting_by_level(self) -> Iterator[tuple[Model, int, int]]:
        """Yield (model, level, requests that wait); level 0 is background work."""
        for queues in self._models.values():
            for level, waiting in enumerate(queues.waiting):
                yield queues.model, level, waiting

    async def execute(
        self,
        model: Model,
        inputs: Mapping[str, Tensor],
        *,
        arrived_us: int,
        priority: Priority = "normal",
        level: int | None = None,
        timeout_us: int | None = None,
    ) -> Execution:
        """Queue a request and return how it was executed.

        `level` and `timeout_us` are what it asks for by Triton's parameters, None or 0 for the
        default. Raises InvalidRequestError for either out of range and for more items than a batch
        may hold, QueueFullError, QueueTimeoutError, StoppingError, and what a model that cannot be
        loaded fails with. A caller who is cancelled leaves the queue at once; if it is executed
        already, it gets its execution nevertheless, since that machine time is its own: when it has
        ended, or, cancelled once more, at once, as it is by then and with an error.
        """
        queues = self._models.get(id(model)) or self._add(model)
        items = len(next(iter(inputs.values())))
        if not 0 < items <= queues.max_batch_size:
            raise InvalidRequestError(
                f"the request holds {items} items; accepted: at most {queues.max_batch_size}, "
                "at least 1"
            )
        place, urgency = queues.levels.place(priority, level)
        deadline_us = queues.levels.deadline_us(place, arrived_us, timeout_us)
        if self._closed:
            raise StoppingError("the node stops")
        if self._backlog.waiting >= self._backlog.max_queue_size:
            raise QueueFullError(f"{self._backlog.waiting} requests wait already; try again later")
        queues.require_room(place)
        queue = queues.queue_for(inputs, place)
        job = Job(inputs, items, place, urgency, arrived_us, self._loop.create_future())
        self._wait(job, queues, queue, deadline_us)
        try:
            return await job.done
        except asyncio.CancelledError:
            if job.waiting:
                self._withdraw(job, queues, queue)
                self._dispatch()
            # What executes cannot be stopped any more, and somebody has to account for it.
            if job.execution is not None:
                return job.execution
            if job.batch is None:
                raise
            return await self._ended(job, job.batch)

    async def _ended(self, job: Job, batch: Batch) -> Execution:
        """Return how `job` was executed when it has been, or as much of that as there is when this
        is cancelled."""
        job.done = self._loop.create_future()
        try:
            return await job.done
        except asyncio.CancelledError:
            if job.execution is None:
                job.execution = batch.give_up(self._busy)
            if job.execution is None:
                raise
            return job.execution

    def stop(self) -> None:
        """Stop the workers after what they execute now. What waits fails with StoppingError."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for waiting in (self._real_time, self._background):
            for queue, queues in list(waiting.items()):
                self._fail(queues, queue, lambda: StoppingError("the node stops"))
        for worker in self._workers:
            worker.stop()

    def ended(self, until_s: float) -> bool:
        """Return whether all that executed has ended by `until_s` of the monotonic clock."""
        ended = [worker.ended(until_s) for worker in self._workers]
        return all(ended)

    def _add(self, model: Model) -> ModelQueues:
        sessions = self._sessions_of(model)
        queues = self._models[id(model)] = ModelQueues(model, sessions)

        def look_again() -> None:
            if queues.unblock():
                self._dispatch_soon()

        sessions.when_free(look_again)
        return queues

    def _wait(
        self, job: Job, queues: ModelQueues, queue: JobQueue, deadline_us: int | None
    ) -> None:
        queue.add(job)
        queues.waiting[job.level] += 1
        self.waiting += 1
        self._backlog.waiting += 1
        background = job.level == BACKGROUND
        (self._background if background else self._real_time)[queue] = queues
        if deadline_us is not None:
            self._deadlines.add(job, deadline_us, queues, queue, waiting=self.waiting)
        elif not self._free and (background or not self._in_background):
            return  # a worker that becomes free looks again
        if queue.average_us < self._inline_below_us:
            # Who arrives in the same turn of the loop shares the batch.
            self._dispatch_soon()
        else:
            self._dispatch()

    def _withdraw(self, job: Job, queues: ModelQueues, queue: JobQueue) -> None:
        queue.discard(job)
        self._left([job], queues, queue)

    def _left(self, jobs: list[Job], queues: ModelQueues, queue: JobQueue) -> None:
        for job in jobs:
            queues.waiting[job.level] -= 1
        self.waiting -= len(jobs)
        self._backlog.waiting -= len(jobs)
        if not queue.items:
            (self._background if jobs[0].level == BACKGROUND else self._real_time).pop(queue, None)

    def _fail(
        self, queues: ModelQueues, queue: JobQueue, error: Callable[[], RequestError]
    ) -> None:
        for job in list(queue.jobs()):
            self._withdraw(job, queues, queue)
            if not job.done.done():
                job.done.set_exception(error())

    def _dispatch_soon(self) -> None:
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        """Give every worker that is to be had the batch that should leave first, if one may."""
        self._soon = False
        if self._closed:
            return
        now_us = self._clock.now_us()
        deadline_us = self._expired(now_us)
        wake_us = NEVER_US if deadline_us is None else deadline_us
        while self._free or self._in_background:
            queue, leaves_at_us = _first(self._real_time, now_us)
            if queue is None:
                wake_us = min(wake_us, leaves_at_us)
                break
            queues = self._real_time[queue]
            session = queues.sessions.take()
            if session is None:
                self._block(queues, queue)
            elif self._start(queues, queue, session, now_us):
                # The loop was held up: let it see to everybody else before the next batch.
                self._dispatch_soon()
                return
        while self._free and self._idle():
            queue, leaves_at_us = _first(self._background, now_us)
            if queue is None:
                wake_us = min(wake_us, leaves_at_us)
                break
            queues = self._background[queue]
            borrows = self.device == "cpu"
            session = queues.sessions.borrow() if borrows else queues.sessions.take()
            if session is None:
                self._block(queues, queue)
            else:
                self._start(queues, queue, session, now_us)
        self._wake_at(wake_us, now_us)

    def _idle(self) -> bool:
        return self.device == "cpu" or all(queue.blocked for queue in self._real_time)

    def _block(self, queues: ModelQueues, queue: JobQueue) -> None:
        """There is no session for `queue`: it waits for one, or fails where none can be had."""
        queue.blocked = True
        failure = queues.sessions.failure
        if failure is not None:
            self._fail(queues, queue, lambda: type(failure)(*failure.args))
            queue.blocked = False

    def _start(self, queues: ModelQueues, queue: JobQueue, session: Session, now_us: int) -> bool:
        """Have a worker execute the next batch of `queue`; return whether that is done already."""
        worker = self._free.pop() if self._free else self._in_background.pop(0)
        background = queue in self._background
        jobs = queue.take(now_us, LONGEST_BACKGROUND_US if background else None)
        self._left(jobs, queues, queue)
        self._backlog.batches += 1
        batch = Batch(
            self._backlog.batches,
            jobs,
            queues,
            queue,
            session,
            self.device,
            worker.number,
            background,
        )
        for job in jobs:
            job.batch = batch
        if batch.preemptible:
            self._in_background.append(worker)
        elif queue.average_us < self._inline_below_us:
            executions = batch.execute(self._busy)
            self._release(batch)
            for job, execution in zip(batch.jobs, executions, strict=True):
                _answer(job, execution)
            return True
        if not background:
            self._backlog.idle_workers.add(-1)
        worker.start(batch)
        return False

    def _work(self, batch: Batch) -> None:
        """Called on a worker's thread; all that follows happens in the loop."""
        executions = batch.execute(self._busy)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._finished, batch, executions)

    def _finished(self, batch: Batch, executions: list[Execution]) -> None:
        self._release(batch)
        if not batch.background:
            self._backlog.idle_workers.add(1)
        self._dispatch()
        pairs = zip(batch.jobs, executions, strict=True)
        if batch.preemptible:
            self._answer_in_turns(pairs)
        else:
            for job, execution in pairs:
                _answer(job, execution)

    def _answer_in_turns(self, pairs: Iterator[tuple[Job, Execution]]) -> None:
        """Answer one background job in each turn of the loop: what follows from an answer takes
        time, and who is urgent does not wait for that of a whole batch."""
        for job, execution in pairs:
            _answer(job, execution)
            self._loop.call_soon(self._answer_in_turns, pairs)
            return

    def _release(self, batch: Batch) -> None:
        """Worker and session of `batch` are to be had again."""
        worker = self._number[batch.worker]
        if batch.preemptible:
            worker.in_background = False
            if worker in self._in_background:  # else it was taken over, and executes
                self._in_background.remove(worker)
                self._free.append(worker)
        else:
            (self._in_background if worker.in_background else self._free).append(worker)
            batch.queues.sessions.give_back(batch.session, len(batch.jobs))
            batch.queues.unblock()
        batch.queue.executed(batch.cpu_us, sum(job.items for job in batch.jobs))

    def _expired(self, now_us: int) -> int | None:
        """See to all whose time is up; return when that of the next one is."""
        while (at_us := self._deadlines.next_us) is not None and at_us <= now_us:
            job, queues, queue = self._deadlines.pop()
            policy = queues.levels.policies[job.level]
            if policy.timeout_action == "delay":
                queue.put_off(job)
                continue
            self._withdraw(job, queues, queue)
            if not job.done.done():
                waited_us = now_us - job.arrived_us
                job.done.set_exception(
                    QueueTimeoutError(f"the request waited for {waited_us} us; its time is up")
                )
        return at_us

    def _wake_at(self, at_us: int, now_us: int) -> None:
        """Dispatch at `at_us` at the latest; too early does no harm."""
        if self._timer is not None:
            if self._timer_us <= at_us:
                return
            self._timer.cancel()
            self._timer = None
        if at_us < NEVER_US:
            self._timer_us = at_us
            self._timer = self._loop.call_later((at_us - now_us) / 1e6, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._dispatch()


def _answer(job: Job, execution: Execution) -> None:
    job.execution = execution
    job.batch = None  # which has it: all of that is gone when nobody wants it, not at a later look
    if not job.done.done():  # else it was cancelled just now
        job.done.set_result(execution)


def _first(queues: Iterable[JobQueue], now_us: int) -> tuple[JobQueue | None, int]:
    """Return the queue whose batch should leave now, and when the next one may if none may now.

    The most urgent head goes first, then the earliest arrival.
    """
    best: JobQueue | None = None
    leaves_at_us = NEVER_US
    urgency = arrived_us = 0
    for queue in queues:
        if queue.blocked:
            continue
        if queue.leaves_at_us > now_us:
            leaves_at_us = min(leaves_at_us, queue.leaves_at_us)
            continue
        head = queue.head
        assert head is not None, "an empty queue never leaves"
        if best is None or (head.urgency, head.arrived_us) < (urgency, arrived_us):
            best, urgency, arrived_us = queue, head.urgency, head.arrived_us
    return best, leaves_at_us
