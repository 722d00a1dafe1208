"""Just enough HTTP on top of ASGI for the node: read a body, send an answer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from inference_node.errors import BodyTooLargeError, ClientGoneError, RequestError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"

# How much longer a client may go on sending a body that was refused.
LINGER_S = 10.0
MOST_DISCARDED_BYTES = 2**30

# A message may quote what the client sent, and that may be the whole body.
LONGEST_MESSAGE = 1000


class Request:
    """Method, path, headers and query of one request; the body is read on demand."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._query: dict[str, list[str]] = parse_qs(scope["query_string"].decode("latin-1"))
        self._receive = receive
        self.body_bytes = 0

    def header(self, name: str) -> str | None:
        """Return the value of header `name` (lower case), None when it is absent."""
        value = self._headers.get(name.encode("latin-1"))
        return None if value is None else value.decode("latin-1").strip()

    def query(self, name: str) -> str | None:
        """Return the last value of query parameter `name`, None when it is absent."""
        values = self._query.get(name)
        return values[-1] if values else None

    async def body(self, max_bytes: int) -> bytes:
        """Return the whole body; `body_bytes` counts what has come of it.

        Raises BodyTooLargeError as soon as it is known to exceed `max_bytes`, ClientGoneError when
        the client leaves before the end.
        """
        declared = self.header("content-length") or "0"
        if declared.isdecimal() and int(declared) > max_bytes:
            await self._discard_rest()
            raise BodyTooLargeError(f"the body has {declared} bytes; accepted: at most {max_bytes}")
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError("the client left before its request was complete")
            part = message.get("body", b"")
            self.body_bytes += len(part)
            if self.body_bytes > max_bytes:
                parts.clear()
                if message.get("more_body", False):
                    await self._discard_rest()
                raise BodyTooLargeError(
                    f"the body has more than {max_bytes} bytes; accepted: at most that many"
                )
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _discard_rest(self) -> None:
        """Where the connection closes with the answer, first read on and keep nothing, for a while.

        Most clients read only after they have sent everything: one that is hung up on before sees
        a broken connection instead of its error. On a connection that stays open the server
        throws away what still comes, and a client that expects our word sends nothing without it.
        """
        closes = (self.header("connection") or "").lower() == "close"
        if not closes or self.header("expect") is not None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while self.body_bytes < MOST_DISCARDED_BYTES:
                    message = await self._receive()
                    self.body_bytes += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class Response:
    """A complete answer."""

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        content_type: bytes = JSON,
    ) -> None:
        self.status = status
        self.body = body
        self._headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
        ]

    def add_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Add headers to those of the content."""
        self._headers += headers

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self.body})


def json_response(content: object, status: int = 200) -> Response:
    """Return `content` as a JSON answer."""
    return Response(status, msgspec.json.encode(content))


def error_response(error: RequestError) -> Response:
    """Return `error` in the protocol's shape."""
    return json_response({"error": str(error)[:LONGEST_MESSAGE]}, error.status)
