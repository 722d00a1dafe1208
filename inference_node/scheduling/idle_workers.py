"""How many workers have no real-time work, and who waits for one of them."""

import asyncio
from collections import deque


class IdleWorkers:
    """Lets background work into the node only while there is a worker for it.

    What a job does in the event loop, reading its body above all, is in the way of real-time
    requests, and of the threads that execute them, as much as its executions would be.
    """

    def __init__(self) -> None:
        self._count = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    def add(self, count: int) -> None:
        """`count` more workers have no real-time work; where it is negative, so many have some."""
        self._count += count
        self._let_in_soon()

    async def wait(self) -> None:
        """Return when a worker has no real-time work; one caller in each turn of the loop does."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in_soon()
        await turn

    def _let_in_soon(self) -> None:
        if self._waiting and self._count > 0 and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        self._scheduled = False
        # What has arrived since this turn was asked for comes first.
        while self._waiting and self._count > 0:
            turn = self._waiting.popleft()
            if not turn.done():  # else its job was cut short
                turn.set_result(None)
                break
        self._let_in_soon()
