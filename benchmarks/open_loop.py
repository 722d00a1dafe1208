"""Open-loop load: every request is due at an instant of its own, whatever became of earlier ones.

One thread and `select`, whose time-out has microseconds where epoll's has milliseconds.
"""

import re
import select
import socket
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.servers import HOST, NotMeasuredError, Server

# More connections than this are not opened; what is due then waits, and its latency shows it.
MOST_CONNECTIONS = 256
SEND_BUFFER_BYTES = 4 * 2**20
# How long the last answers may take once the last request is sent.
GRACE_S = 10.0

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RECORD_ID = re.compile(rb"\r\nx-record-id: *([0-9a-f-]+)", re.IGNORECASE)

Instants = NDArray[np.float64]


@dataclass(frozen=True)
class Exchange:
    """One answered request; both durations in milliseconds.

    `latency_ms` runs from the instant it was due, `lag_ms` of it passed before it was sent.
    `record_id` names its usage record, where the server is a node.
    """

    latency_ms: float
    lag_ms: float
    status: int
    record_id: str


@dataclass(frozen=True)
class OpenLoop:
    """What came of one run."""

    exchanges: list[Exchange]
    unanswered: int

    @property
    def failed(self) -> int:
        """How many requests got no answer, or one that is not 200."""
        return self.unanswered + sum(exchange.status != 200 for exchange in self.exchanges)

    def latency_ms(self, percent: float) -> float:
        """Return a percentile of the answers' latency; raises NotMeasuredError without any."""
        if not self.exchanges:
            raise NotMeasuredError("no request of the open-loop client was answered")
        return float(np.percentile([exchange.latency_ms for exchange in self.exchanges], percent))

    def lag_ms(self, percent: float) -> float:
        """Return a percentile of how late requests were sent."""
        return float(np.percentile([exchange.lag_ms for exchange in self.exchanges], percent))


def poisson_schedule(seed: int, rate_per_s: float, seconds: float) -> Instants:
    """Return the instants of a Poisson process, in seconds from its start, ascending."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(rate_per_s * seconds)
    return np.sort(rng.uniform(0.0, seconds, count))


def open_loop(server: Server, due_s: Instants) -> OpenLoop:
    """Send the server's question at each instant of `due_s`; return when all is answered."""
    message = server.question.message()
    client = _Client(server.port, message)
    try:
        return client.run(due_s)
    finally:
        client.close()


class _Connection:
    """One keep-alive connection with at most one request outstanding."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        # A whole message fits, so sending never blocks what is due next.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect((HOST, port))
        self._received = b""
        self._due_s = self._sent_s = 0.0

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, message: bytes, due_s: float) -> None:
        self._received = b""
        self._due_s, self._sent_s = due_s, time.perf_counter()
        self.socket.sendall(message)

    def receive(self) -> Exchange | None:
        """Read what is there; return the exchange once its answer is complete.

        Raises NotMeasuredError when the server closes or sends what is no HTTP answer.
        """
        data = self.socket.recv(65536)
        if not data:
            raise NotMeasuredError("the server closed a connection of the open-loop client")
        self._received += data
        head, separator, body = self._received.partition(_HEAD_END)
        if not separator:
            return None
        length = _LENGTH.search(head)
        if length is None or not head.startswith(b"HTTP/1.1 "):
            raise NotMeasuredError(f"no HTTP answer with a content length: {head[:200]!r}")
        if len(body) < int(length[1]):
            return None
        now_s = time.perf_counter()
        record_id = _RECORD_ID.search(head)
        return Exchange(
            latency_ms=(now_s - self._due_s) * 1e3,
            lag_ms=(self._sent_s - self._due_s) * 1e3,
            status=int(head[9:12]),
            record_id=record_id[1].decode() if record_id else "",
        )


class _Client:
    def __init__(self, port: int, message: bytes) -> None:
        self._port = port
        self._message = message
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()

    def run(self, due_s: Instants) -> OpenLoop:
        """Send on schedule, read answers in between."""
        start_s = time.perf_counter() + 0.01
        schedule = deque((due_s + start_s).tolist())
        exchanges: list[Exchange] = []
        give_up_at_s = start_s + (float(due_s[-1]) if len(due_s) else 0.0) + GRACE_S
        while schedule or self._busy:
            now_s = time.perf_counter()
            if now_s > give_up_at_s:
                break
            while schedule and schedule[0] <= now_s and self._free():
                connection = self._idle.pop()
                connection.send(self._message, schedule.popleft())
                self._busy.add(connection)
                now_s = time.perf_counter()
            free = self._idle or len(self._busy) < MOST_CONNECTIONS
            until_s = schedule[0] if schedule and free else give_up_at_s
            readable, _, _ = select.select(self._busy, (), (), max(0.0, until_s - now_s))
            for connection in readable:
                exchange = connection.receive()
                if exchange is not None:
                    exchanges.append(exchange)
                    self._busy.discard(connection)
                    self._idle.append(connection)
        return OpenLoop(exchanges, unanswered=len(schedule) + len(self._busy))

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._idle, *self._busy):
            connection.socket.close()

    def _free(self) -> bool:
        """Tell whether there is a connection to send on; opens one where that is allowed."""
        if not self._idle and len(self._busy) < MOST_CONNECTIONS:
            self._idle.append(_Connection(self._port))
        return bool(self._idle)
