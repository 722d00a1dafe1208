"""Background work is let in while a worker is idle, one piece in each turn of the loop."""

import asyncio
from collections.abc import Awaitable, Callable

from inference_node.scheduling.idle_workers import IdleWorkers
from tests.unit.inference_node.virtual_time import ManualClock, run, turns


def play(story: Callable[[IdleWorkers], Awaitable[None]]) -> None:
    async def staged() -> None:
        await story(IdleWorkers())

    run(ManualClock(), staged())


def test_who_waits_is_let_in_when_a_worker_becomes_idle() -> None:
    async def story(idle: IdleWorkers) -> None:
        waiting = asyncio.create_task(idle.wait())
        await turns()
        idle.add(-1)
        idle.add(1)
        await turns()
        assert not waiting.done(), "none is idle"
        idle.add(2)
        await turns()
        assert waiting.done()

    play(story)


def test_one_is_let_in_at_a_time_in_the_order_of_their_coming() -> None:
    async def story(idle: IdleWorkers) -> None:
        idle.add(1)
        order: list[int] = []

        async def work(number: int) -> None:
            await idle.wait()
            order.append(number)
            idle.add(-1)

        tasks = [asyncio.create_task(work(number)) for number in range(3)]
        for done in range(1, 4):
            await turns()
            assert order == list(range(done))
            idle.add(1)
        await asyncio.gather(*tasks)

    play(story)


def test_all_are_let_in_while_a_worker_stays_idle() -> None:
    async def story(idle: IdleWorkers) -> None:
        idle.add(1)
        await asyncio.wait_for(asyncio.gather(*(idle.wait() for _ in range(100))), 1)

    play(story)


def test_who_gives_up_takes_nobodys_turn() -> None:
    async def story(idle: IdleWorkers) -> None:
        first, second = (asyncio.create_task(idle.wait()) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        idle.add(1)
        await turns()
        assert first.cancelled()
        assert second.done()

    play(story)
