"""Ending tasks."""

import asyncio
from typing import Any


def cancel_begun(task: "asyncio.Task[Any]") -> None:
    """Cancel `task`, after its first step if it has not taken it: a coroutine that never began to
    run has no chance to write its record. What is due in the loop happens in its order."""
    task.get_loop().call_soon(task.cancel)
