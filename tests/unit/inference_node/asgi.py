"""The server's side of ASGI, played by a test."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from inference_node.http.messages import Receive, Scope

Message = MutableMapping[str, Any]


def scope(
    method: str, path: str, headers: Mapping[str, str] | None = None, query: str = ""
) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()
        ],
    }


def receiving(*parts: bytes, complete: bool = True) -> Receive:
    """Hand over a body in `parts`; the client leaves after the last one unless it is complete."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": not complete or number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


nothing_more = receiving()


class Sent:
    """What the application sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])
