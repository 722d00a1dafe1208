"""The pool against an independent model of its definition, on random arrivals."""

import asyncio
from fractions import Fraction
from functools import partial
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.errors import QueueTimeoutError
from inference_node.metering.busy_log import BusyLog
from inference_node.models.config import BatchingConfig, QueuePolicy
from inference_node.scheduling.backlog import Backlog
from inference_node.scheduling.job import Execution
from inference_node.scheduling.pool import Pool
from tests.unit.inference_node.gated_session import SHIFT, GatedSession, model_of
from tests.unit.inference_node.scheduling.reference_pool import (
    STEP_US,
    Arrival,
    Batch,
    Reference,
    Setting,
)
from tests.unit.inference_node.scheduling.stage import close, sessions_of, tensor
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until
from usage import Priority

PRIORITIES: tuple[Priority, ...] = ("high", "normal", "batch")

Requests = list["asyncio.Task[Execution]"]


def sometimes(steps: st.SearchStrategy[int], after_us: int) -> st.SearchStrategy[int | None]:
    return st.none() | steps.map(lambda step: STEP_US * step + after_us)


@st.composite
def settings_of_a_pool(draw: st.DrawFn) -> Setting:
    max_batch_size = draw(st.integers(1, 6))
    levels = draw(st.integers(2, 3))
    arrivals = []
    at_us = 0
    for _ in range(draw(st.integers(1, 20))):
        at_us += STEP_US * draw(st.sampled_from([0, 0, 1, 2, 5, 20]))
        arrivals.append(
            Arrival(
                at_us,
                draw(st.integers(1, min(3, max_batch_size))),
                draw(st.sampled_from(PRIORITIES)),
                draw(st.sampled_from([0, 0, *range(1, levels + 1)])),
                draw(sometimes(st.integers(0, 30), 3)),
                draw(sometimes(st.integers(0, 30), 4)),
            )
        )
    return Setting(
        arrivals,
        max_batch_size,
        draw(st.lists(st.integers(1, 6), max_size=2)),
        delay_us=STEP_US * draw(st.integers(0, 10)) + 2,
        levels=levels,
        timeout_action=draw(st.sampled_from(["reject", "delay"])),
        service_us=draw(st.integers(0, 60)),
        workers=draw(st.integers(1, 3)),
    )


def members_of(batch: list[int]) -> list[int]:
    """Return whose items these are, in the order of the batch."""
    return list(dict.fromkeys(batch))


async def played(
    setting: Setting, clock: ManualClock, session: GatedSession, busy: BusyLog
) -> Requests:
    """Return the requests when all have been answered, refused or have left."""
    pool = Pool(clock, busy, Backlog(1000), sessions_of, workers=setting.workers, inline_below_us=0)
    batching = BatchingConfig(
        max_batch_size=setting.max_batch_size,
        max_queue_delay_microseconds=setting.delay_us,
        preferred_batch_size=setting.preferred,
        priority_levels=setting.levels,
        default_queue_policy=QueuePolicy(timeout_action=setting.timeout_action),
    )
    model = model_of(session, batching=batching)
    requests: Requests = []
    ends: list[int] = []  # of every batch that has started
    eventful = {
        arrival.at_us + after_us
        for arrival in setting.arrivals
        for after_us in (0, setting.delay_us, arrival.timeout_us, arrival.leaves_us)
        if after_us is not None
    }

    def executing() -> set[int]:
        return {number for batch in session.batches for number in batch}

    def all_that_left_execute() -> bool:
        waited_in_vain = sum(
            request.done() and number not in executing() for number, request in enumerate(requests)
        )
        return len(executing()) == len(requests) - pool.waiting - waited_in_vain

    def gone(at_us: int) -> list[int]:
        return [
            number
            for number, arrival in enumerate(setting.arrivals)
            if arrival.leaves_us is not None and arrival.at_us + arrival.leaves_us == at_us
        ]

    def answered(members: list[int]) -> bool:
        return all(requests[number].done() for number in members)

    while len(requests) < len(setting.arrivals) or not answered(list(range(len(requests)))):
        now = [batch for batch, end in enumerate(ends) if end == clock.us]
        for batch in sorted(now, key=lambda batch: session.batches[batch][0]):
            session.release(batch)
            await until(partial(answered, session.batches[batch]))
        await turns(2)
        for number, arrival in enumerate(setting.arrivals):
            if arrival.at_us == clock.us:
                work = pool.execute(
                    model,
                    tensor(*[number] * arrival.items),
                    priority=arrival.priority,
                    level=arrival.level,
                    timeout_us=arrival.timeout_us,
                    arrived_us=clock.us,
                )
                requests.append(asyncio.create_task(work))
                await turns(2)
            elif number in gone(clock.us) and number not in executing():
                requests[number].cancel()
        await turns(4)
        await until(all_that_left_execute)
        started = session.batches[len(ends) :]
        ends += [setting.ends_us(clock.us, len(batch)) for batch in started]
        clock.us = min((us for us in {*eventful, *ends} if us > clock.us), default=clock.us + 1)
    close(pool)
    await turns()
    assert pool.waiting == 0
    return requests


@settings(max_examples=50, deadline=None)
@given(settings_of_a_pool())
def test_batches_are_those_of_the_definition_and_every_request_is_answered_once_with_its_own(
    setting: Setting,
) -> None:
    clock, session = ManualClock(), GatedSession()
    busy = BusyLog(clock)
    reference = Reference(setting)
    reference.run()

    requests = run(clock, played(setting, clock, session, busy))

    assert [n for n, request in enumerate(requests) if request.cancelled()] == sorted(
        reference.left
    )
    answered: dict[int, Execution] = {}
    for number, (arrival, request) in enumerate(zip(setting.arrivals, requests, strict=True)):
        if request.cancelled():
            continue
        if number in reference.rejected:
            assert isinstance(request.exception(), QueueTimeoutError)
            continue
        answered[number] = execution = request.result()
        assert execution.error is None
        assert execution.outputs["y"].tolist() == [[number + SHIFT]] * arrival.items

    executed = sorted(number for batch in session.batches for number in members_of(batch))
    assert executed == sorted(answered)
    for batch in session.batches:
        assert len(batch) <= setting.max_batch_size
        assert {answered[number].batch_size for number in batch} == {len(batch)}
    seen = [Batch(answered[batch[0]].began_us, members_of(batch)) for batch in session.batches]
    assert sorted(seen) == sorted(reference.batches)

    _require_exact_accounts(setting, answered, busy.take(0, clock.us), clock.us)


def _require_exact_accounts(
    setting: Setting, answered: dict[int, Execution], busy_us: int, time_us: int
) -> None:
    """What requests pay for is what workers executed, and no worker did two things at a time."""
    paid = sum(
        Fraction(done.compute_us * setting.arrivals[number].items, done.batch_size)
        for number, done in answered.items()
    )
    assert paid == busy_us <= setting.workers * time_us
    batches = {
        done.batch_id: (setting.is_background(number), done) for number, done in answered.items()
    }
    real_time = [done for background, done in batches.values() if not background]
    spans = sorted((done.worker, done.began_us, done.ended_us) for done in real_time)
    for (worker, _, ended_us), (next_worker, next_began_us, _) in pairwise(spans):
        assert worker != next_worker or ended_us <= next_began_us
    for background, done in batches.values():
        taken_over_us = sum(
            max(0, min(done.ended_us, other.ended_us) - max(done.began_us, other.began_us))
            for other in real_time
            if background and other.worker == done.worker
        )
        assert done.compute_us == done.ended_us - done.began_us - taken_over_us
