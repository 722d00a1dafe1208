"""The process that converts lines of offline jobs, as the node sees it."""

import asyncio
import contextlib
import logging
import sys
from collections import deque

from inference_node.line_converter import LENGTH

logger = logging.getLogger(__name__)

# Shorter lines are parsed in less time than it takes to send them elsewhere.
SHORTEST_BYTES = 4096
PATIENCE_S = 2.0

Converted = tuple[bytes, int] | None


class LineProcess:
    """Converts lines; the process is started with the first one that is long enough.

    When it dies, lines are left as they are, and the next one starts it again.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: deque[asyncio.Future[Converted]] = deque()

    async def converted(self, line: bytes) -> tuple[bytes, int | None]:
        """Return `line` with binary tensors and the length of its JSON, or as it is and None."""
        if len(line) < SHORTEST_BYTES:
            return line, None
        try:
            stdin = await self._stdin()
        except OSError as error:
            logger.error("offline jobs have no process of their own: %s", error)
            return line, None
        future: asyncio.Future[Converted] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        # It may be gone, which uvloop calls a RuntimeError: `_read` tells all who wait.
        with contextlib.suppress(ConnectionError, RuntimeError):
            stdin.write(LENGTH.pack(len(line)) + line)
            await stdin.drain()
        return await future or (line, None)

    async def close(self) -> None:
        """End the process."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading

    async def _stdin(self) -> asyncio.StreamWriter:
        async with self._starting:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "inference_node.line_converter",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
                self._reading = asyncio.create_task(self._read(self._process))
        assert self._process.stdin is not None
        return self._process.stdin

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                content = await process.stdout.readexactly(length)
                converted = None
                if length:
                    converted = content[LENGTH.size :], LENGTH.unpack_from(content)[0]
                self._land(self._waiting.popleft(), converted)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._process = None
            while self._waiting:
                self._land(self._waiting.popleft(), None)
        await process.wait()

    def _land(self, future: "asyncio.Future[Converted]", converted: Converted) -> None:
        if not future.done():  # else the job was cut short
            future.set_result(converted)
