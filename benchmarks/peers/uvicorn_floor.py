"""uvicorn with an application that reads the body and answers the same bytes to everything.

`python -m benchmarks.peers.uvicorn_floor PORT ANSWER_BYTES`: what ASGI costs by itself.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]


class FixedAnswer:
    """ASGI 3 application."""

    def __init__(self, answer: bytes) -> None:
        self._body: Message = {"type": "http.response.body", "body": answer}
        self._start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/octet-stream"),
                (b"content-length", str(len(answer)).encode()),
            ],
        }

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        del scope
        while (await receive()).get("more_body"):
            pass
        await send(self._start)
        await send(self._body)


if __name__ == "__main__":
    uvicorn.run(
        FixedAnswer(bytes(int(sys.argv[2]))),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
