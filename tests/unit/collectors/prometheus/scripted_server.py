"""A small HTTP server that answers as a test wants it, well or badly."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
    answer: Callable[[str], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    """Serve what `answer` returns for a path with its query."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers.items())))
            reply = answer(self.path)
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

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # as in the base
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        httpd.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        server = Scripted(f"{scheme}://localhost:{httpd.server_address[1]}")
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            httpd.shutdown()
            thread.join()
