"""A small HTTP server that answers as a test wants it, well or badly."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.http_server import QuietHandler, serving


@dataclass(frozen=True)
class Reply:
    """An answer. With `drip_s` each byte comes so long after the one before; `claimed` is a
    content-length that is not true; with `hang_up` there is no answer at all."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    claimed: int | None = None
    hang_up: bool = False


@dataclass
class Scripted:
    """A running server: its address, and the requests so far as (path, headers)."""

    url: str
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)


@contextmanager
def scripted(
    reply_to: Callable[[str], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    """Serve what `reply_to` returns for a path with its query."""
    ended = threading.Event()

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            server.asked.append((self.path, dict(self.headers.items())))
            reply = reply_to(self.path)
            if reply.hang_up:
                self.close_connection = True
                return
            self.send_response(reply.status)
            length = len(reply.body) if reply.claimed is None else reply.claimed
            for name, value in {"content-length": str(length), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            # A client that gave up is not waited for.
            with suppress(OSError):
                if reply.drip_s:
                    for byte in reply.body:
                        self.wfile.write(bytes([byte]))
                        if ended.wait(reply.drip_s):
                            break
                else:
                    self.wfile.write(reply.body)
            self.close_connection = reply.claimed is not None or bool(reply.drip_s)

    with serving(Handler, tls) as port:
        server = Scripted(f"{'http' if tls is None else 'https'}://localhost:{port}")
        try:
            yield server
        finally:
            ended.set()
