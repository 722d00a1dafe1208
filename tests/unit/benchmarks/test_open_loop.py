"""The open-loop client, with a server that answers when the test lets it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.open_loop import open_loop, poisson_schedule
from benchmarks.servers import NotMeasuredError, Question, Server
from deploy.processes import Child

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-record-id: 0-1\r\n\r\nok"


@contextmanager
def answering(folder: Path, *answers: bytes) -> Iterator[Server]:
    """A server that sends one of `answers` for each request of its first connection, by turns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in answers:
                    if not connection.recv(65536):
                        return
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        child = Child("nothing", ["-c", ""], folder, folder)
        question = Question("/", b"body", {"x-priority": "high"})
        try:
            yield Server("test", listener.getsockname()[1], question, child, folder)
        finally:
            child.wait()
            thread.join()


def test_a_request_that_is_sent_late_is_measured_from_when_it_was_due(tmp_path: Path) -> None:
    with answering(tmp_path, ANSWER) as server:
        # It was due seconds before the client begins.
        load = open_loop(server, np.array([-5.0]))
    [exchange] = load.exchanges
    assert exchange.latency_ms >= exchange.lag_ms > 4_000
    assert (exchange.status, exchange.record_id) == (200, "0-1")
    assert (load.failed, load.unanswered) == (0, 0)


def test_an_answer_that_is_an_error_counts_as_failed(tmp_path: Path) -> None:
    refusal = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    with answering(tmp_path, refusal) as server:
        load = open_loop(server, np.array([0.0]))
    assert [exchange.status for exchange in load.exchanges] == [503]
    assert load.failed == 1


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_is_no_http_answer_is_named(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, answer) as server, pytest.raises(NotMeasuredError):
        open_loop(server, np.array([0.0]))


def test_a_schedule_is_ascending_and_the_same_for_the_same_seed() -> None:
    schedule = poisson_schedule(1, 1000.0, 2.0)
    assert (np.diff(schedule) >= 0).all()
    assert 1500 < len(schedule) < 2500
    assert 0 <= schedule[0] <= schedule[-1] < 2
    assert (schedule == poisson_schedule(1, 1000.0, 2.0)).all()
    assert not np.array_equal(schedule, poisson_schedule(2, 1000.0, 2.0))
