"""What the client makes of what is answered, whoever answers."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collectors.forwarding.receiver_client import (
    AddressError,
    Answer,
    ReceiverClient,
    RefusedError,
    TokenRefusedError,
    UnreachableError,
)
from tests import http_server
from usage import Boot, Position

BOOT = Boot(Path("spool/node-1/0198c0de-0000-7000-8000-000000000001"))
PATH = "/v1/spool/node-1/0198c0de-0000-7000-8000-000000000001"
OK = (200, b'{"segment":2,"offset":7}')


@dataclass
class Server:
    """Gives the same answer to everybody and keeps what was asked."""

    status: int
    content: bytes
    port: int = 0
    closes: bool = False
    asked: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    connections: int = 0


@contextmanager
def serving(status: int, content: bytes, *, closes: bool = False) -> Iterator[Server]:
    server = Server(status, content, closes=closes)

    class Handler(http_server.QuietHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            server.connections += 1
            super().setup()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            server.asked.append(
                (f"{self.command} {self.path}", body, self.headers["Authorization"])
            )
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.content)))
            self.end_headers()
            self.wfile.write(server.content)
            # Without a word of it, as a server does that is restarted.
            self.close_connection = server.closes

    with http_server.serving(Handler) as server.port:
        yield server


@contextmanager
def asking(server: Server, token: str | None = None, prefix: str = "") -> Iterator[ReceiverClient]:
    client = ReceiverClient(f"http://127.0.0.1:{server.port}{prefix}", token)
    try:
        yield client
    finally:
        client.close()


def test_what_is_sent_is_the_protocols_over_one_connection() -> None:
    lines = b"line\n" * 1_000
    with serving(*OK) as server, asking(server, "secret", "/behind/") as client:
        assert client.reached(BOOT).reached == Position(2, 7)
        assert client.send(BOOT, Position(2, 7), lines).accepted
        assert client.send(BOOT, Position(2, 9), b"to", stray_end=20).accepted
    assert server.connections == 1
    assert server.asked == [
        (f"GET /behind{PATH}", b"", "Bearer secret"),
        (f"POST /behind{PATH}/2/7", lines, "Bearer secret"),
        (f"POST /behind{PATH}/2/9?stray_end=20", b"to", "Bearer secret"),
    ]


def test_a_connection_that_was_closed_meanwhile_is_opened_anew_without_a_word() -> None:
    with serving(*OK, closes=True) as server, asking(server) as client:
        for _ in range(3):
            assert client.reached(BOOT).reached == Position(2, 7)
    assert server.connections == 3


def test_409_is_an_answer_that_says_where_to_go_on() -> None:
    content = b'{"error":"too far","segment":1,"offset":5}'
    with serving(409, content) as server, asking(server) as client:
        answer = client.send(BOOT, Position(3, 0), b"a\n")
    assert answer == Answer(Position(1, 5), accepted=False, words="status 409: too far")


@pytest.mark.parametrize(
    ("status", "content", "error", "words"),
    [
        (401, b'{"error":"no token"}', TokenRefusedError, "status 401: no token"),
        (403, b"<html>", TokenRefusedError, "status 403: Forbidden"),
        (400, b'{"error":"bad","segment":1,"offset":5}', RefusedError, "status 400: bad"),
        (503, b'{"error":"disk full"}', RefusedError, "status 503: disk full"),
        (502, b"<html>\xff", UnreachableError, "status 502: Bad Gateway; accepted: the answer"),
        (200, b"hello", UnreachableError, "status 200: OK; accepted: the answer of a receiver"),
        (200, b'{"segment":"1"}', UnreachableError, "status 200"),
        (200, b'{"segment":1}', UnreachableError, "status 200"),
        (302, b"", UnreachableError, "status 302"),
        (200, b"x" * 200_000, UnreachableError, "status 200"),
    ],
)
def test_everything_else_is_an_error_that_tells_whether_to_try_again(
    status: int, content: bytes, error: type[Exception], words: str
) -> None:
    with serving(status, content) as server, asking(server) as client:
        for _ in range(2):
            with pytest.raises(error, match=words):
                client.send(BOOT, Position(), b"a\n")


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(AddressError) as caught:
        ReceiverClient("http://me:hunter2@localhost", None)
    assert "hunter2" not in str(caught.value)
