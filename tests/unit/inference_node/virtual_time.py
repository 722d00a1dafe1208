"""Time that passes only when a test says so, for the node's clock and the event loop alike."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from inference_node.clock import Clock

Result = TypeVar("Result")

PATIENCE_S = 10.0
TURNS = 12


class ManualClock(Clock):
    """Stands still at `us` until a test moves it."""

    def __init__(self, us: int = 0) -> None:
        super().__init__()
        self.us = us

    def now_us(self) -> int:
        return self.us


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._manual = clock
        self._began_us = clock.us

    def time(self) -> float:
        return (self._manual.us - self._began_us) / 1e6


def run(clock: ManualClock, story: Coroutine[Any, Any, Result]) -> Result:
    """Run `story` in a loop whose timers follow `clock`."""
    with asyncio.Runner(loop_factory=lambda: _Loop(clock)) as runner:
        return runner.run(story)


async def turns(count: int = TURNS) -> None:
    """Let everything that is due in the loop happen, and what follows from it."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until `condition` holds, which another thread may have to bring about."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        await asyncio.sleep(0)
    await turns()
