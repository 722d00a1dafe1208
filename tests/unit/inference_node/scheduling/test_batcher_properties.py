"""The batcher against an independent model of its definition, on random arrivals."""

import asyncio
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.metering.busy_log import BusyLog
from inference_node.scheduling.batcher import PRIORITIES, Batcher, Execution
from tests.unit.inference_node.gated_session import SHIFT, GatedSession, model_of
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until
from usage import Priority

# Arrivals fall on multiples of 3 us, ends of service one later, ends of a delay two later: no two
# things of different kinds happen at the same instant, so their order is never a matter of taste.
STEP_US = 3


@dataclass(frozen=True)
class Arrival:
    at_us: int
    items: int
    priority: Priority


@dataclass(frozen=True)
class Setting:
    arrivals: list[Arrival]
    max_batch_size: int
    delay_us: int
    service_us: int
    workers: int

    def ends_us(self, began_us: int, items: int) -> int:
        """Service takes longer the more items there are, and ends at an instant of its own."""
        least_us = began_us + self.service_us + STEP_US * items
        return least_us + (1 - least_us) % STEP_US


@dataclass(frozen=True, order=True)
class Batch:
    began_us: int
    members: list[int]


@st.composite
def settings_of_a_node(draw: st.DrawFn) -> Setting:
    max_batch_size = draw(st.integers(1, 6))
    arrivals = []
    at_us = 0
    for _ in range(draw(st.integers(1, 20))):
        at_us += STEP_US * draw(st.sampled_from([0, 0, 1, 2, 5, 20]))
        items = draw(st.integers(1, min(3, max_batch_size)))
        arrivals.append(Arrival(at_us, items, draw(st.sampled_from(PRIORITIES))))
    return Setting(
        arrivals,
        max_batch_size,
        delay_us=STEP_US * draw(st.integers(0, 10)) + 2,
        service_us=draw(st.integers(0, 60)),
        workers=draw(st.integers(1, 3)),
    )


def expected(setting: Setting) -> list[Batch]:
    """Return the batches that the definition speaks of, instant by instant, in plain lists."""
    batches: list[Batch] = []
    waiting: list[int] = []
    ends: list[int] = []  # of what executes
    arrivals = setting.arrivals
    at_us = 0
    while sum(len(batch.members) for batch in batches) < len(arrivals):
        ends = [end for end in ends if end > at_us]
        for number, arrival in enumerate(arrivals):
            if arrival.at_us != at_us:
                continue
            waiting.append(number)
            _leave(setting, waiting, ends, batches, at_us)
        _leave(setting, waiting, ends, batches, at_us)
        at_us += 1
    return batches


def _leave(
    setting: Setting, waiting: list[int], ends: list[int], batches: list[Batch], at_us: int
) -> None:
    arrivals = setting.arrivals
    while waiting and len(ends) < setting.workers:
        full = sum(arrivals[number].items for number in waiting) >= setting.max_batch_size
        overdue = at_us >= min(arrivals[number].at_us for number in waiting) + setting.delay_us
        if not full and not overdue:
            return
        members: list[int] = []
        room = setting.max_batch_size
        for number in sorted(waiting, key=lambda n: (PRIORITIES.index(arrivals[n].priority), n)):
            if arrivals[number].items > room:
                break
            room -= arrivals[number].items
            members.append(number)
        for number in members:
            waiting.remove(number)
        batches.append(Batch(at_us, members))
        ends.append(setting.ends_us(at_us, setting.max_batch_size - room))


def members_of(batch: list[int]) -> list[int]:
    """Return whose items these are, in the order of the batch."""
    return list(dict.fromkeys(batch))


async def played(setting: Setting, clock: ManualClock, session: GatedSession) -> list[Execution]:
    """Return how the batcher executed each arrival."""
    batcher = Batcher(clock, BusyLog(clock), workers=setting.workers, max_queue_size=1000)
    model = model_of(session, max_batch_size=setting.max_batch_size, delay_us=setting.delay_us)
    requests: list[asyncio.Task[Execution]] = []
    ends: list[int] = []  # of every batch that has started

    def all_that_left_execute() -> bool:
        executing = sum(len(members_of(batch)) for batch in session.batches)
        return executing == len(requests) - batcher.waiting

    def answered(members: list[int]) -> bool:
        return all(requests[number].done() for number in members)

    while len(requests) < len(setting.arrivals) or not answered(list(range(len(requests)))):
        for batch, end in enumerate(ends):
            if end == clock.us:
                session.release(batch)
                await until(partial(answered, session.batches[batch]))
        for arrival in setting.arrivals:
            if arrival.at_us == clock.us:
                tensor = np.full((arrival.items, 1), len(requests), np.int64)
                work = batcher.execute(model, {"x": tensor}, arrival.priority, clock.us)
                requests.append(asyncio.create_task(work))
                await turns(2)
        await turns(4)
        await until(all_that_left_execute)
        started = session.batches[len(ends) :]
        ends += [setting.ends_us(clock.us, len(batch)) for batch in started]
        clock.us += 1
    batcher.close()
    await turns()
    return [request.result() for request in requests]


@settings(max_examples=60, deadline=None)
@given(settings_of_a_node())
def test_batches_are_those_of_the_definition_and_every_request_is_answered_once_with_its_own(
    setting: Setting,
) -> None:
    clock, session = ManualClock(), GatedSession()

    executions = run(clock, played(setting, clock, session))

    assert len(executions) == len(setting.arrivals)
    for number, (arrival, execution) in enumerate(zip(setting.arrivals, executions, strict=True)):
        assert execution.error is None
        assert execution.outputs["y"].tolist() == [[number + SHIFT]] * arrival.items

    executed = sorted(number for batch in session.batches for number in members_of(batch))
    assert executed == list(range(len(setting.arrivals)))
    for batch in session.batches:
        assert len(batch) <= setting.max_batch_size
        assert {executions[number].batch_size for number in batch} == {len(batch)}

    spans = sorted({(e.worker, e.began_us, e.ended_us) for e in executions})
    for (worker, _, ended_us), (next_worker, next_began_us, _) in pairwise(spans):
        assert worker != next_worker or ended_us <= next_began_us

    seen = [Batch(executions[batch[0]].began_us, members_of(batch)) for batch in session.batches]
    assert sorted(seen) == sorted(expected(setting))
