"""One HTTP request as it comes in: head first, then as much of its body as there is already."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, unquote

from inference_node.errors import BodyTooLargeError, RequestError

# So much of a body that nobody has read yet is kept; then the client has to wait.
READ_AHEAD_BYTES = 256 * 1024


class Request:
    """Method, path, headers and query; the body is read on demand, whole or part by part.

    `body_bytes` counts what has come of the body. Once a request has a `failure` (its client is
    gone, or takes too long), waiting for more of its body raises it.
    """

    __slots__ = (
        "_discarding",
        "_headers",
        "_owes",
        "_paused",
        "_query",
        "_send_continue",
        "_set_flow",
        "_unread",
        "_unread_bytes",
        "_wake",
        "_whole",
        "body_bytes",
        "complete",
        "failure",
        "keep_alive",
        "method",
        "path",
    )

    def __init__(
        self,
        method: str,
        target: bytes,
        headers: dict[bytes, bytes],
        *,
        keep_alive: bool = True,
        set_flow: Callable[[bool], None] | None = None,
        send_continue: Callable[[], None] | None = None,
    ) -> None:
        if not target.startswith(b"/"):  # a proxy's absolute form
            target = b"/" + target.partition(b"//")[2].partition(b"/")[2]
        path, _, query = target.partition(b"?")
        self.method = method
        self.path = path.decode("latin-1")
        self.keep_alive = keep_alive
        self.body_bytes = 0
        self.complete = False
        self.failure: RequestError | None = None
        self._headers = headers
        self._query = query
        self._set_flow = set_flow
        self._send_continue = send_continue
        self._discarding = False
        self._owes = False
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._paused = False
        self._whole = False
        self._wake: asyncio.Future[None] | None = None

    def segments(self) -> list[str]:
        """Return what stands between the slashes of the path, percent signs decoded."""
        segments = self.path.split("/")
        return [unquote(segment) for segment in segments] if "%" in self.path else segments

    @property
    def awaits_word(self) -> bool:
        """Whether the client waits for `100 Continue`, and got no such word, to send its body."""
        return self._send_continue is not None and not self.complete

    @property
    def awaited(self) -> bool:
        """Whether it is the client's turn: the node waits for more of the body and owes nothing."""
        return self._wake is not None and not self._owes

    def header(self, name: str) -> str | None:
        """Return the value of header `name` (lower case), None when it is absent."""
        value = self._headers.get(name.encode())
        return None if value is None else value.decode("latin-1").strip()

    def raw_header(self, name: bytes) -> bytes | None:
        """Return the bytes of header `name` (lower case), None when it is absent."""
        return self._headers.get(name)

    def query(self, name: str) -> str | None:
        """Return the last value of query parameter `name`, None when it is absent."""
        values = parse_qs(self._query.decode("latin-1")).get(name) if self._query else None
        return values[-1] if values else None

    async def body(self, max_bytes: int) -> bytes:
        """Return the whole body.

        Raises BodyTooLargeError as soon as it is known to exceed `max_bytes`, and the failure of a
        request that never arrives whole.
        """
        if not self.complete:
            declared = self.header("content-length") or "0"
            if declared.isdecimal() and int(declared) > max_bytes:
                raise BodyTooLargeError(
                    f"the body has {declared} bytes; accepted: at most {max_bytes}"
                )
            self._whole = True
            self._flow()
            while not self.complete and self.body_bytes <= max_bytes:
                await self._more()
        if self.body_bytes > max_bytes:
            self._unread.clear()
            raise BodyTooLargeError(
                f"the body has more than {max_bytes} bytes; accepted: at most that many"
            )
        unread = self._unread
        return unread.popleft() if len(unread) == 1 else b"".join(unread)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises the failure of a request that never arrives whole."""
        while True:
            while self._unread:
                part = self._unread.popleft()
                self._unread_bytes -= len(part)
                self._flow()
                yield part
            if self.complete:
                return
            if self._set_flow is not None:
                self._set_flow(True)  # each part has the time that another body has as a whole
            await self._more()

    def owe(self, owes: bool) -> None:
        """Say whether answers to parts of the body are due: a client may wait for them before it
        sends more, and has its time again after the last one."""
        relieved = self._owes and not owes
        self._owes = owes
        if relieved and not (self.complete or self._paused) and self._set_flow is not None:
            self._set_flow(True)

    def give_word(self) -> None:
        """Tell a client that waits for `100 Continue` to send its body."""
        if self._send_continue is not None and not self.complete:
            self._send_continue()
        self._send_continue = None

    def arrived(self, part: bytes) -> None:
        """Take a part of the body."""
        self.body_bytes += len(part)
        if self._discarding:
            return
        self._unread.append(part)
        self._unread_bytes += len(part)
        self._flow()
        self._notify()

    def ended(self) -> None:
        """There is no more of the body."""
        self.complete = True
        self._notify()

    def discard(self) -> None:
        """Nobody will read what still comes of the body."""
        self._discarding = True
        self._unread.clear()
        self._unread_bytes = 0
        self._flow()

    def fail(self, failure: RequestError) -> None:
        """The body will never be complete."""
        if self.failure is None:
            self.failure = failure
        self._notify()

    def _flow(self) -> None:
        paused = self._unread_bytes > READ_AHEAD_BYTES and not self._whole
        if paused != self._paused:
            self._paused = paused
            if self._set_flow is not None:
                self._set_flow(not paused)

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _more(self) -> None:
        self._require_alive()
        self.give_word()
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None
        if not self.complete:
            self._require_alive()

    def _require_alive(self) -> None:
        if self.failure is not None:
            raise self.failure
