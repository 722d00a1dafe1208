"""Clients of a real node that ask without a pause, each on one connection, and what they saw."""

import http.client
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.integration.node_process import PATIENCE_S, Node, until


@dataclass(frozen=True)
class Answered:
    """One answer that was read to its end; `at_s` is the monotonic time of that."""

    at_s: float
    status: int
    record_id: str
    closes: bool


@dataclass
class Load:
    """What the clients have seen. `broken` are requests that were sent whole and got no answer."""

    answers: list[Answered] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def record_ids(self) -> list[str]:
        """Return the record ids of all answers, in order."""
        return sorted(answer.record_id for answer in self.answers)


@dataclass(frozen=True)
class Question:
    """What a client asks over and over."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def _ask_on(load: Load, port: int, question: Question) -> None:
    """Ask until the node closes the connection, and is seen to, or breaks it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.connect()
    try:
        while not _is_closed(connection):
            try:
                connection.request("POST", question.path, question.body, dict(question.headers))
            except OSError:
                return  # closed before the request was sent whole
            try:
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                load.broken.append(repr(error))
                return
            closes = response.headers.get("connection") == "close"
            record_id = response.headers["x-record-id"]
            load.answers.append(Answered(time.monotonic(), response.status, record_id, closes))
            if closes:
                return
    finally:
        connection.close()


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    # Between two requests nothing can be read but the end.
    return bool(select.select([connection.sock], [], [], 0)[0])


@contextmanager
def closed_loop(
    node: Node,
    question: Callable[[int], Question],
    *,
    clients: int = 32,
    first: int = 200,
) -> Iterator[Load]:
    """Run `clients`, each with its own question; hand over when `first` answers are there.

    They end with their connections, at the latest with the node, which is killed at the end.
    """
    load = Load()
    threads = [
        threading.Thread(target=_ask_on, args=(load, node.port, question(number)))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(load.answers) >= first)
        yield load
    finally:
        node.process.kill()
        for thread in threads:
            thread.join()
