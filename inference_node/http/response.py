"""Answers, and the bytes they become."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from inference_node.errors import RequestError

JSON = b"application/json"
NDJSON = b"application/x-ndjson"

# A message may quote what the client sent, and that may be the whole body.
LONGEST_MESSAGE = 1000

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
} | {499: b"HTTP/1.1 499 Client Closed Request\r\n"}

BREAKS = bytes.maketrans(b"\r\n", b"  ")

Headers = list[tuple[bytes, bytes]]


class Response:
    """A complete answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", content_type: bytes = JSON) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = [(b"content-type", content_type)]


@dataclass(frozen=True)
class StreamingResponse:
    """An answer that is sent part by part, as parts come to be."""

    parts: AsyncGenerator[bytes, None]
    status: int = 200
    headers: Headers = field(default_factory=lambda: [(b"content-type", NDJSON)])


def json_response(content: object, status: int = 200) -> Response:
    """Return `content` as a JSON answer."""
    return Response(status, msgspec.json.encode(content))


def error_response(error: RequestError) -> Response:
    """Return `error` in the protocol's shape."""
    response = json_response({"error": str(error)[:LONGEST_MESSAGE]}, error.status)
    response.headers += error.headers
    return response


def head_bytes(status: int, headers: Headers, *framing: bytes) -> bytes:
    """Return status line and headers; `framing` are whole header lines that end in CRLF.

    A CR or LF in a value would begin another header: it is replaced by a space.
    """
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if not lines.count(b"\n") == lines.count(b"\r") == len(headers):
        lines = b"".join(
            [b"%b: %b\r\n" % (name, value.translate(BREAKS)) for name, value in headers]
        )
    return b"".join((STATUS_LINES[status], *framing, lines, b"\r\n"))
