"""A pool to play with: time stands still unless a test moves it, and a batch executes until the
test releases it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from inference_node.metering.busy_log import BusyLog
from inference_node.models.config import BatchingConfig
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from inference_node.scheduling.backlog import Backlog
from inference_node.scheduling.job import Execution
from inference_node.scheduling.pool import Pool
from inference_node.scheduling.sessions import Sessions
from tests.unit.inference_node.gated_session import GatedSession, GatedSessions, model_of
from tests.unit.inference_node.virtual_time import PATIENCE_S, ManualClock, run, turns, until
from usage import Pool as Device
from usage import Priority


def sessions_of(model: Model) -> Sessions:
    return model.sessions["cpu"]


def tensor(*values: int, width: int = 1) -> Mapping[str, Tensor]:
    """One item per value."""
    return {"x": np.repeat(np.array(values, np.int64)[:, None], width, axis=1)}


@dataclass
class Stage:
    """A pool, what it runs on, and the hands to play it with."""

    clock: ManualClock
    session: GatedSession
    pool: Pool
    busy: BusyLog
    model: Model
    requests: list["asyncio.Task[Execution]"] = field(default_factory=list)

    @property
    def sessions(self) -> GatedSessions:
        return cast(GatedSessions, self.model.sessions["cpu"])

    async def send(
        self,
        *values: int,
        priority: Priority = "normal",
        level: int | None = None,
        timeout_us: int | None = None,
        model: Model | None = None,
        width: int = 1,
        arrived_us: int | None = None,
    ) -> "asyncio.Task[Execution]":
        """A request with one item per value is queued now; it arrived now, too, if not before."""
        work = self.pool.execute(
            model or self.model,
            tensor(*values, width=width),
            priority=priority,
            level=level,
            timeout_us=timeout_us,
            arrived_us=self.clock.us if arrived_us is None else arrived_us,
        )
        request = asyncio.create_task(work)
        self.requests.append(request)
        await turns()
        return request

    async def at(self, us: int) -> None:
        self.clock.us = us
        await turns()

    async def started(self, batches: int) -> None:
        await until(lambda: self.session.started == batches)

    async def finish(self, batch: int) -> None:
        """Batch number `batch` finishes now; its answers are out when this returns."""
        answered = sum(request.done() for request in self.requests)
        self.session.release(batch)
        await until(lambda: sum(request.done() for request in self.requests) > answered)

    def other_model(self) -> Model:
        """Another model with sessions of its own, which has no queue delay."""
        return model_of(self.session, name="other", delay_us=0)

    def where(self, value: int) -> int:
        """Return the number of the batch that holds `value`."""
        return next(n for n, batch in enumerate(self.session.batches) if value in batch)


def close(pool: Pool) -> None:
    """Stop the pool and wait for what executes, which must end."""
    pool.stop()
    assert pool.ended(time.monotonic() + PATIENCE_S)


def play(
    story: Callable[[Stage], Awaitable[None]],
    *,
    workers: int = 1,
    first_worker: int = 0,
    device: Device = "cpu",
    max_batch_size: int = 4,
    delay_us: int = 1000,
    batching: BatchingConfig | None = None,
    max_queue_size: int = 100,
    inline_below_us: int = 0,
    sessions: int = 100,
    loaded: int = 100,
    gated: bool = True,
) -> None:
    clock = ManualClock()
    session = GatedSession(gated=gated)

    async def staged() -> None:
        busy = BusyLog(clock)
        pool = Pool(
            clock,
            busy,
            Backlog(max_queue_size),
            sessions_of,
            device=device,
            workers=workers,
            first_worker=first_worker,
            inline_below_us=inline_below_us,
        )
        model = model_of(
            session,
            max_batch_size=max_batch_size,
            delay_us=delay_us,
            batching=batching,
            sessions=GatedSessions(session, count=sessions, loaded=loaded),
        )
        stage = Stage(clock, session, pool, busy, model)
        try:
            await story(stage)
        finally:
            session.gated = False
            for batch in range(session.started):
                session.release(batch)
            close(pool)
            await turns()
            for request in stage.requests:
                if not request.cancelled():
                    request.exception()

    run(clock, staged())
