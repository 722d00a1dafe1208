"""One HTTP/1.1 connection: bytes in, requests one after the other, answers out."""

import asyncio
import contextlib
import logging
import select
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

from inference_node.errors import (
    ClientGoneError,
    InvalidRequestError,
    RequestError,
    RequestTimeoutError,
    StoppingError,
)
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse, error_response, head_bytes
from inference_node.tasks import cancel_begun

if TYPE_CHECKING:
    from inference_node.http.server import HttpServer

logger = logging.getLogger(__name__)

# Request line, headers, chunk extensions, trailers: the parser would take any length of them.
MOST_HEAD_BYTES = 64 * 1024

# After the last answer of a connection, what its client still sends is thrown away for so long, or
# so much of it: one that is hung up on while it sends sees a broken connection, not its answer.
LINGER_S = 5.0
MOST_DISCARDED_BYTES = 2**30
MOST_DISCARDED_OF_A_HEAD_BYTES = 2**20

# A client that does not read while it still sends may leave so much of a streamed answer unread.
MOST_UNREAD_BYTES = 64 * 2**20

# So long a stopping node waits for the next request of a connection that is open already.
LAST_REQUEST_S = 0.2

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"connection: close\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """Handles the requests of one client in their order; a pipelined one waits for its turn.

    `deadline` is when the client has kept the node waiting for too long, in the loop's time; None
    while it is the node's turn. The server looks at it from time to time.
    """

    def __init__(self, server: "HttpServer") -> None:
        self.deadline: float | None = None
        self._server = server
        self._loop = server.loop
        self._limits = server.limits
        self._parser = httptools.HttpRequestParser(self)
        self._head_bytes = 0
        self._in_head = False
        self._unparsed = False
        self._reading = True
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._incoming: Request | None = None  # its body is not complete
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._may_discard_bytes = 0
        self._writable: asyncio.Event | None = None
        self._awaits_reader = False  # an answer is held up until the client reads
        self._unsent_bytes = 0

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        refusal = self._server.opened(self)
        if refusal is not None:
            self._refuse(refusal)
        else:
            first_s = self._limits.head_timeout_s if self._server.accepting else LAST_REQUEST_S
            self.deadline = self._loop.time() + first_s

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """The client is gone: stop working for it."""
        self._closing = True
        self.deadline = None
        self._waiting.clear()
        gone = ClientGoneError("the client closed the connection")
        if self._incoming is not None:
            self._incoming.fail(gone)
        if self._current is not None:
            self._current.fail(gone)
            if self._task is not None:
                # Once: what executes already is waited for, and a second time would cut that off.
                if not self._task.cancelling():
                    cancel_begun(self._task)
                self._server.left_behind(self._task)
        if self._writable is not None:
            self._writable.set()
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        """Parse `data`."""
        if self._closing:
            self._may_discard_bytes -= len(data)
            if self._may_discard_bytes < 0:
                self._transport.abort()
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Declined by going on as before, with what came after the request.
            self._parser = httptools.HttpRequestParser(self)
            rest = data[upgrade.args[0] :]
            if rest:
                self.data_received(rest)
        except httptools.HttpParserCallbackError:
            logger.exception("a defect in the node")
            self._transport.abort()
            return
        except httptools.HttpParserError as error:
            self._unparsable(f"this is no HTTP request: {error}")
            return
        if self._head_bytes > MOST_HEAD_BYTES and not self._closing:
            self._unparsable(f"the head is larger than {MOST_HEAD_BYTES} bytes")

    def eof_received(self) -> None:
        """The client has closed: whether only for sending cannot be told, and hardly any does."""

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._target = b""
        self._headers = {}
        if self._current is None:
            self.deadline = self._loop.time() + self._limits.head_timeout_s

    def on_url(self, target: bytes) -> None:
        """Take a part of the request's target."""
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer comes here, too, and changes nothing."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is complete: the request can be handled while its body comes."""
        parser = self._parser
        request = Request(
            parser.get_method().decode(),
            self._target,
            self._headers,
            keep_alive=parser.should_keep_alive() and self._server.accepting,
            set_flow=self._set_flow,
            send_continue=self._send_continue if b"expect" in self._headers else None,
        )
        self._headers = {}  # what a trailer says is not the request's
        self._in_head = False
        self._incoming = request
        if self._current is None:
            self._begin(request)
        else:
            self._waiting.append(request)
            self._read(False)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._head_bytes = 0
        if self._incoming is not None:
            self._incoming.arrived(part)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._head_bytes = 0
        request, self._incoming = self._incoming, None
        if request is not None:
            request.ended()
        self.deadline = None
        if self._current is None:  # answered before it was complete
            self._await_next()

    # What the server asks.

    def expire(self) -> None:
        """The deadline has passed."""
        self.deadline = None
        unsent_bytes = self._transport.get_write_buffer_size()
        to_be_read = self._awaits_reader or (self._current is None and unsent_bytes > 0)
        if to_be_read or self._closing or self._transport.is_closing():
            # Slow is no reason, as long as it goes on. It grows by what was to be written soon.
            if unsent_bytes not in (0, self._unsent_bytes):
                self._expect_reading(self._limits.body_timeout_s)
            else:
                self._transport.abort()
        elif self._current is not None and self._incoming is self._current:
            limit = self._limits.body_timeout_s
            if not self._current.awaited:  # it is the node's turn
                self.deadline = self._loop.time() + limit
                return
            self._current.keep_alive = False
            self._current.fail(RequestTimeoutError(f"the body took longer than {limit} s"))
        elif self._in_head:
            limit = self._limits.head_timeout_s
            self._refuse(RequestTimeoutError(f"the request took longer than {limit} s"))
        elif self._has_unread():
            # The loop was held up: what came in time is on its way from the system to here.
            self.deadline = self._loop.time() + LAST_REQUEST_S
        else:
            # Some of a body that was refused may still come.
            self._close(linger_bytes=MOST_DISCARDED_BYTES if self._incoming is not None else 0)

    def drain(self) -> None:
        """Answer the requests that have begun to come, then close."""
        if self._waiting:
            self._waiting[-1].keep_alive = False
        elif self._current is not None:
            self._current.keep_alive = False
        elif not self._closing and not self._in_head:
            # A client under way with its next request still gets an answer.
            self.deadline = self._loop.time() + LAST_REQUEST_S

    def cut_off(self) -> None:
        """Stop what is in progress: its handler has an answer for that, or this connection has.

        An execution is not stopped the first time, and not waited for the second time.
        """
        if self._task is not None:
            self._waiting.clear()
            if self._current is not None:
                self._current.keep_alive = False
            cancel_begun(self._task)
        elif self._in_head and not self._closing:
            self._refuse(StoppingError("the node is stopping; ask another one"))

    def abort(self) -> None:
        """Close now, whatever is lost."""
        self._transport.abort()

    # One request.

    def _begin(self, request: Request) -> None:
        self._current = request
        if not request.complete:
            self.deadline = self._loop.time() + self._limits.body_timeout_s
        self._task = self._loop.create_task(self._exchange(request))

    async def _exchange(self, request: Request) -> None:
        response = await self._server.handle(request)
        if isinstance(response, StreamingResponse):
            # It reads the body while it answers: the word must not come amid the answer.
            request.give_word()
        if request.awaits_word:  # whether its body still comes is open
            request.keep_alive = False
        if isinstance(response, StreamingResponse):
            await self._stream(request, response)
        elif not self._transport.is_closing():
            head = head_bytes(
                response.status,
                response.headers,
                b"content-length: %d\r\n" % len(response.body),
                b"" if request.keep_alive else CLOSE,
            )
            answer = head if request.method == "HEAD" else head + response.body
            self._server.write_soon(self._transport, answer)
        self._ended(request)

    async def _stream(self, request: Request, response: StreamingResponse) -> None:
        """Send the parts as chunks; whatever cuts them short shows as a missing last chunk."""
        head = head_bytes(
            response.status, response.headers, CHUNKED, b"" if request.keep_alive else CLOSE
        )
        self._write(head)
        try:
            async with contextlib.aclosing(response.parts) as parts:
                async for part in parts:
                    self._write(b"%x\r\n%b\r\n" % (len(part), part))
                    await self._caught_up(request)
        except asyncio.CancelledError:
            request.keep_alive = False
        except Exception:
            logger.exception("a defect in the node: %s", request.path)
            request.keep_alive = False
        else:
            self._write(LAST_CHUNK)

    async def _caught_up(self, request: Request) -> None:
        """Wait until the client has read most of what it was sent.

        Many clients read only after they have sent everything: they are waited for only when very
        much is due to them.
        """
        most = 0 if request.complete else MOST_UNREAD_BYTES
        if self._writable is not None and self._transport.get_write_buffer_size() > most:
            self._expect_reading(self._limits.body_timeout_s)
            self._awaits_reader = True
            await self._writable.wait()
            self._awaits_reader = False
            self.deadline = None

    def _expect_reading(self, within_s: float) -> None:
        """Give the client this time to read something of what it was sent, if not all is."""
        self.deadline = self._loop.time() + within_s
        self._unsent_bytes = self._transport.get_write_buffer_size()

    def _ended(self, request: Request) -> None:
        self._current = self._task = None
        if self._transport.is_closing():
            return
        if not request.keep_alive:
            unread = not request.complete or bool(self._waiting)
            most = MOST_DISCARDED_OF_A_HEAD_BYTES if self._unparsed else MOST_DISCARDED_BYTES
            self._close(linger_bytes=most if unread or self._unparsed else 0)
        elif request.complete:
            self._await_next()
        else:
            request.discard()

    def _await_next(self) -> None:
        """Go on with the request that waits, or wait for one."""
        if self._waiting:
            self._begin(self._waiting.popleft())
        elif not self._in_head:
            idle_s = self._limits.keep_alive_s if self._server.accepting else LAST_REQUEST_S
            self._expect_reading(idle_s)
        if not self._waiting:
            self._read(True)

    def _set_flow(self, flowing: bool) -> None:
        """Let the client send on or wait; it is not to blame for the time it waits."""
        if flowing:
            self.deadline = self._loop.time() + self._limits.body_timeout_s
        else:
            self.deadline = None
        self._read(flowing)

    def _read(self, reading: bool) -> None:
        if reading != self._reading:
            self._reading = reading
            if reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _has_unread(self) -> bool:
        """Tell whether something has come that the loop has not read yet."""
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def _write(self, data: bytes) -> None:
        """Write `data` now, behind the answers that are to be written soon.

        A handler may have a last word for a client that has just left: nobody reads it.
        """
        self._server.flush()
        if not self._transport.is_closing():
            self._transport.write(data)

    def _send_continue(self) -> None:
        self._write(CONTINUE)

    def _unparsable(self, message: str) -> None:
        if self._incoming is not None:
            self._incoming.fail(InvalidRequestError(message))
        if self._current is None:
            self._refuse(InvalidRequestError(message))
        else:
            # The answer that is due comes first; nothing can be read after it.
            self._unparsed = True
            self._current.keep_alive = False
            self._waiting.clear()
            self._read(False)

    def _refuse(self, error: RequestError) -> None:
        response: Response = error_response(error)
        length = b"content-length: %d\r\n" % len(response.body)
        head = head_bytes(response.status, response.headers, length, CLOSE)
        self._write(head + response.body)
        self._close(linger_bytes=MOST_DISCARDED_OF_A_HEAD_BYTES)

    def _close(self, *, linger_bytes: int = 0) -> None:
        """Close when the client has what it was sent, and has said what it has to say, if that is
        not more than `linger_bytes`."""
        self._closing = True
        self._waiting.clear()
        self._server.flush()
        unsent = self._transport.get_write_buffer_size() > 0
        self._expect_reading(self._limits.body_timeout_s if unsent else LINGER_S)
        self._may_discard_bytes = linger_bytes
        if not linger_bytes:
            self._transport.close()
            return
        self._read(True)
        if self._transport.can_write_eof():
            self._transport.write_eof()
