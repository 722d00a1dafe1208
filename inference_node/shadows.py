"""Executions beside the answer: another version sees the same request, nobody sees its answer."""

import asyncio
import logging
from collections.abc import Mapping

from inference_node.errors import RequestError
from inference_node.execution import Executor
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder
from inference_node.models.repository import Model
from inference_node.models.session import Tensor

logger = logging.getLogger(__name__)

# Shadows have what time the requests leave; when there is none for long, further ones are left out.
MOST_WAITING = 256
MOST_WAITING_BYTES = 256 * 2**20

# A stopping node waits so long for those that execute.
LAST_EXECUTIONS_S = 1.0


class Shadows:
    """Executes shadows in the background and records them; `skipped` counts those left out."""

    def __init__(self, executor: Executor, recorder: Recorder) -> None:
        self.skipped = 0
        self._executor = executor
        self._recorder = recorder
        self._tasks: dict[asyncio.Task[None], int] = {}  # and the bytes of its inputs
        self._waiting_bytes = 0

    def begin(self, model: Model, inputs: Mapping[str, Tensor], receipt: Receipt) -> None:
        """Let `model` execute what the request of `receipt` is about."""
        size_bytes = sum([tensor.nbytes for tensor in inputs.values()])
        if (
            len(self._tasks) >= MOST_WAITING
            or self._waiting_bytes + size_bytes > MOST_WAITING_BYTES
        ):
            self.skipped += 1
            return
        task = asyncio.create_task(self._execute(model, inputs, receipt.shadow(model)))
        self._tasks[task] = size_bytes
        self._waiting_bytes += size_bytes
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Give up what waits, and after a moment what executes; what it cost is recorded."""
        for timeout_s in (LAST_EXECUTIONS_S, None):
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(list(self._tasks), timeout=timeout_s)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._waiting_bytes -= self._tasks.pop(task)

    async def _execute(self, model: Model, inputs: Mapping[str, Tensor], receipt: Receipt) -> None:
        status = 200
        try:
            await self._executor.execute(model, inputs, receipt)
        except RequestError as error:
            receipt.error, status = error, error.status
        except asyncio.CancelledError:
            if receipt.execution is None:
                return
        except Exception:
            logger.exception("a defect in the node: shadow of %s", receipt.parent_id)
            return
        self._recorder.write(receipt, status, 0)
