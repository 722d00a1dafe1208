"""One HTTP connection: uvicorn's, with a bound on what is not a body and errors as JSON."""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from inference_node.errors import InvalidRequestError
from inference_node.http.messages import error_response

# Request line, headers, chunk extensions, trailers: the parser would buffer any length of them.
MOST_HEAD_BYTES = 64 * 1024


class Connection(HttpToolsProtocol):
    """Refuses a head of more than MOST_HEAD_BYTES, and answers what is no HTTP in JSON."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Parse `data`; count them until the parser finds a body or the end of a request."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"the head is larger than {MOST_HEAD_BYTES} bytes")

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what no request can be made of, and close."""
        body = error_response(InvalidRequestError(msg)).body
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()
