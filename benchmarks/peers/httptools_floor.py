"""A bare asyncio protocol around httptools that answers the same bytes to everything.

`python -m benchmarks.peers.httptools_floor PORT ANSWER_BYTES`: what HTTP in Python costs by itself.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop


class FixedAnswer(asyncio.Protocol):
    """One connection."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer: the parser saw the end of a request."""
        assert self._transport is not None
        self._transport.write(self._answer)


async def _serve(port: int, answer: bytes) -> None:
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
        f"content-length: {len(answer)}\r\n\r\n"
    )
    message = head.encode() + answer
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FixedAnswer(message), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), bytes(int(sys.argv[2]))))
