"""All connections of one listening socket."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from inference_node.errors import BusyError, RequestError
from inference_node.http.connection import Connection
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse
from inference_node.tasks import cancel_begun

Handler = Callable[[Request], Awaitable[Response | StreamingResponse]]

# Timeouts are checked so often: they are that much late at most.
SWEEP_S = 0.25

# After the drain: for what is being executed to end, and for answers to leave.
CUT_OFF_S = 1.0

# Clients that have connected while the node still listened.
MOST_ACCEPTED_LAST = 4096


@dataclass(frozen=True)
class Limits:
    """What a client may cost: connections, and seconds it keeps the node waiting."""

    max_connections: int
    head_timeout_s: float
    body_timeout_s: float
    keep_alive_s: float


class HttpServer:
    """Serves `handle`, which answers every request and does not raise."""

    def __init__(self, handle: Handler, limits: Limits) -> None:
        self.handle = handle
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.accepting = True
        self._connections: set[Connection] = set()
        self._answers: list[tuple[asyncio.Transport, bytes]] = []
        self._left_behind: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._listener: socket.socket | None = None
        self._listening: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    async def listen(self, listener: socket.socket) -> None:
        """Begin to serve the connections to `listener`, which is bound."""
        self._listener = listener
        self._listening = await self.loop.create_server(lambda: Connection(self), sock=listener)
        self._sweeping = self.loop.create_task(self._sweep())

    async def stop(self, drain_s: float) -> None:
        """Accept nothing new, let what is in progress finish for `drain_s`, then cut it off.

        When it returns, no handler is at work any more, also none whose client is gone.
        """
        self.accepting = False
        assert self._sweeping is not None
        await self._stop_listening()
        for connection in list(self._connections):
            connection.drain()
        await self._emptied(drain_s)
        # What cannot be stopped at once, an execution, is given up with the second word.
        for _ in range(2):
            for connection in list(self._connections):
                connection.cut_off()
            for task in list(self._left_behind):
                cancel_begun(task)
            await self._emptied(CUT_OFF_S)
        for connection in list(self._connections):
            connection.abort()
        await self._emptied(CUT_OFF_S)
        self._sweeping.cancel()

    def write_soon(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Write `answer` when all that is due in this turn of the loop is done.

        Answers of one batch leave one right after the other: written in between, each of them wakes
        its client on its own, and that costs more than much else of a small request.
        """
        if not self._answers:
            self.loop.call_soon(self.flush)
        self._answers.append((transport, answer))

    def flush(self) -> None:
        """Write what is to be written soon: before anything else is written, or closed."""
        if self._answers:
            answers, self._answers = self._answers, []
            for transport, answer in answers:
                if not transport.is_closing():
                    transport.write(answer)

    def opened(self, connection: Connection) -> RequestError | None:
        """Count `connection`; return why it is refused, None when it is not."""
        full = len(self._connections) >= self.limits.max_connections
        self._connections.add(connection)
        self._empty.clear()
        if full:
            return BusyError(f"{self.limits.max_connections} connections are open already")
        return None

    def closed(self, connection: Connection) -> None:
        """Forget `connection`."""
        self._connections.discard(connection)
        self._look()

    def left_behind(self, task: "asyncio.Task[None]") -> None:
        """A handler goes on though its client is gone: it ends in its own time."""
        self._left_behind.add(task)
        task.add_done_callback(self._caught_up)

    def _caught_up(self, task: "asyncio.Task[None]") -> None:
        self._left_behind.discard(task)
        self._look()

    def _look(self) -> None:
        if not self._connections and not self._left_behind:
            self._empty.set()

    async def _emptied(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), within_s)

    async def _stop_listening(self) -> None:
        """Clients whose connection the system has accepted already are not hung up on."""
        listener, self._listener = self._listener, None
        if listener is None or self._listening is None:
            return
        with listener.dup() as last:
            self._listening.close()
            last.setblocking(False)
            for _ in range(MOST_ACCEPTED_LAST):
                try:
                    accepted, _address = last.accept()
                except OSError:  # there is none, or no more file descriptors
                    return
                await self.loop.connect_accepted_socket(lambda: Connection(self), accepted)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.loop.time()
            for connection in list(self._connections):
                if connection.deadline is not None and connection.deadline <= now:
                    connection.expire()
