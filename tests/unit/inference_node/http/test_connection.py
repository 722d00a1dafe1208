"""Connections as clients see them: real sockets, a real event loop, a handler of the test."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import uvloop

from inference_node.errors import RequestError
from inference_node.http.connection import Connection
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse, error_response
from inference_node.http.server import Handler, HttpServer, Limits

PATIENT = Limits(max_connections=100, head_timeout_s=30, body_timeout_s=30, keep_alive_s=30)
IMPATIENT = Limits(max_connections=100, head_timeout_s=0.3, body_timeout_s=0.3, keep_alive_s=0.3)
MOST_BODY_BYTES = 1000

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n%b\r\n%b" % (
        len(body), lines, body,
    )  # fmt: skip


async def echo(request: Request) -> Response:
    """Answer with method, path and body."""
    try:
        body = await request.body(MOST_BODY_BYTES)
    except RequestError as error:
        return error_response(error)
    return Response(200, f"{request.method} {request.path} ".encode() + body, b"text/plain")


class Client:
    """One connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, *, head_only: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Read one answer with a content-length."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = 0 if head_only else int(headers.get("content-length", "0"))
        return int(status.split()[1]), headers, await self.reader.readexactly(length)

    async def ended(self) -> bytes:
        """Read until the server ends the connection; return what still came."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


Story = Callable[[HttpServer, Callable[[], Awaitable[Client]]], Awaitable[None]]


def play(story: Story, handler: Handler = echo, limits: Limits = PATIENT) -> None:
    """Run `story` against a server that answers with `handler`."""

    async def staged() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        server = HttpServer(handler, limits)
        await server.listen(listener)
        clients: list[Client] = []

        async def connect() -> Client:
            client = Client(*await asyncio.open_connection(*address))
            clients.append(client)
            return client

        try:
            await asyncio.wait_for(story(server, connect), 20)
        finally:
            for client in clients:
                client.writer.close()
            await server.stop(0.5)

    uvloop.run(staged())


def test_requests_of_a_connection_are_answered_one_after_the_other() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        for number in range(3):
            client.writer.write(post(b"%d" % number))
            status, headers, body = await client.answer()
            assert (status, body) == (200, b"POST /b %d" % number)
            assert "connection" not in headers
        assert server.connections == 1

    play(story)


def test_pipelined_requests_are_answered_in_their_order_and_none_is_lost() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(b"".join(post(b"%d" % number) for number in range(200)))
        for number in range(200):
            assert (await client.answer())[2] == b"POST /b %d" % number

    play(story)


def test_a_request_may_come_byte_by_byte_and_in_chunks() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        text = (
            b"POST /b HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\ntrailer: z\r\n\r\n"
        )
        for number in range(len(text)):
            client.writer.write(text[number : number + 1])
            await client.writer.drain()
            await asyncio.sleep(0)
        assert (await client.answer())[2] == b"POST /b abc"

    play(story)


def test_a_trailer_is_no_header() -> None:
    async def tenant(request: Request) -> Response:
        await request.body(MOST_BODY_BYTES)
        return Response(200, (request.header("x-tenant") or "none").encode())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(
            b"POST /b HTTP/1.1\r\nhost: x\r\nx-tenant: shop\r\ntransfer-encoding: chunked\r\n\r\n"
            b"1\r\na\r\n0\r\nx-tenant: other\r\n\r\n"
        )
        assert (await client.answer())[2] == b"shop"

    play(story, tenant)


def test_head_gets_the_headers_of_get_and_no_body() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET.replace(b"GET", b"HEAD") + GET)
        status, headers, _ = await client.answer(head_only=True)
        assert (status, headers["content-length"]) == (200, str(len(b"HEAD /a ")))
        assert (await client.answer())[2] == b"GET /a "

    play(story)


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET.replace(b"host: x", b"connection: close"),
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_a_connection_ends_when_its_client_wants_no_more(request_bytes: bytes) -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(request_bytes)
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await client.ended() == b""

    play(story)


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
     b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
     b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
     b"GET / HTTP/1.1\r\nname with space: x\r\n\r\n",
     b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_gets_an_error_in_json_and_the_connection_ends(garbage: bytes) -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(garbage)
        status, headers, body = await client.answer()
        assert status == 400
        assert headers["content-type"] == "application/json"
        assert b"no HTTP request" in body
        client.writer.close()

    play(story)


def test_garbage_behind_a_request_does_not_cost_the_request_its_answer() -> None:
    gate = asyncio.Event()

    async def slow(request: Request) -> Response:
        await gate.wait()
        return await echo(request)

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET + b"\x00\x01garbage")
        await asyncio.sleep(0.05)
        gate.set()
        assert (await client.answer())[0] == 200
        client.writer.close()

    play(story, slow)


def test_a_client_that_leaves_is_told_to_the_handler_which_ends_at_once() -> None:
    entered, left = asyncio.Event(), asyncio.Event()
    failures = []

    async def stuck(request: Request) -> Response:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            failures.append(request.failure)
            left.set()
        return Response(200)

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET)
        await entered.wait()
        client.writer.transport.abort()
        await left.wait()
        assert failures[0] is not None
        assert failures[0].status == 499

    play(story, stuck)


def test_a_body_that_is_refused_is_answered_at_once_and_the_connection_goes_on() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        size = 5_000_000
        client.writer.write(b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        assert (await client.answer())[0] == 413
        client.writer.write(b"x" * size)
        client.writer.write(GET)
        assert (await client.answer())[2] == b"GET /a "

    play(story)


def test_a_client_that_waits_for_the_word_to_send_its_body_gets_it_or_its_error() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        head = b"POST /b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
        client.writer.write(head % 3)
        assert (await client.answer())[0] == 100
        client.writer.write(b"abc")
        assert (await client.answer())[2] == b"POST /b abc"
        client.writer.write(head % (MOST_BODY_BYTES + 1))
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (413, "close")
        assert await client.ended() == b""

    play(story)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"GET /a HT", 408), (b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab", 408)],
)
def test_a_client_that_never_ends_its_request_is_told_so(sent: bytes, status: int) -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(sent)
        assert (await client.answer())[0] == status
        assert await client.ended() == b""

    play(story, limits=IMPATIENT)


@pytest.mark.parametrize("sent", [b"", GET])
def test_an_idle_connection_is_closed_without_a_word(sent: bytes) -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        if sent:
            client.writer.write(sent)
            await client.answer()
        assert await client.ended() == b""
        assert server.connections == 0

    play(story, limits=IMPATIENT)


def test_a_slow_handler_is_not_the_clients_fault() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(1.0)  # more than any time-out of this server
        return await echo(request)

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(post(b"abc"))
        assert (await client.answer())[0] == 200

    play(story, slow, IMPATIENT)


def test_one_connection_too_many_is_refused_and_the_others_go_on() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        first = await connect()
        first.writer.write(GET)
        await first.answer()
        second = await connect()
        second.writer.write(GET)
        status, headers, body = await second.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        assert b"1 connections are open" in body
        first.writer.write(GET)
        assert (await first.answer())[0] == 200

    play(story, limits=Limits(1, 30, 30, 30))


async def _thousand(request: Request) -> StreamingResponse:
    async def parts() -> AsyncGenerator[bytes, None]:
        async for part in request.parts():
            yield part
        for number in range(1000):
            yield b"%d\n" % number

    return StreamingResponse(parts())


def test_an_answer_may_leave_part_by_part_while_the_request_still_comes() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        head = b"POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        client.writer.write(head + b"3\r\none\r\n")
        answer = await client.reader.readuntil(b"one\r\n")
        assert b"transfer-encoding: chunked" in answer
        client.writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
        assert rest.startswith(b"3\r\ntwo\r\n")
        assert rest.endswith(b"4\r\n999\n\r\n0\r\n\r\n")
        client.writer.write(GET)
        await client.reader.readuntil(b"\r\n0\r\n\r\n")

    play(story, _thousand)


def test_an_answer_that_breaks_off_is_seen_to_be_incomplete() -> None:
    async def broken(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield b"one"
            raise ValueError("a defect")

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET)
        assert b"0\r\n\r\n" not in await client.ended()

    play(story, broken)


def test_a_stream_is_ended_when_its_client_leaves() -> None:
    ended = asyncio.Event()

    async def endless(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET)
        await client.reader.readexactly(100_000)
        client.writer.transport.abort()
        await ended.wait()

    play(story, endless)


def test_a_last_word_to_a_client_that_has_left_is_no_defect(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()

    async def with_last_word(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            try:
                yield b"begun"
                try:
                    await anext(request.parts())
                except RequestError as error:
                    yield str(error).encode()
            finally:
                ended.set()

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n")
        await client.reader.readuntil(b"begun\r\n")
        client.writer.transport.abort()
        await ended.wait()

    play(story, with_last_word)
    assert caplog.records == []


HUGE = b"x" * 32 * 2**20  # more than the system keeps for a client that does not read


def only_connection(server: HttpServer) -> Connection:
    (connection,) = server._connections
    return connection


async def huge_answer(request: Request) -> Response:
    return Response(200, HUGE, b"text/plain")


async def huge_stream(request: Request) -> StreamingResponse:
    async def parts() -> AsyncGenerator[bytes, None]:
        yield HUGE
        yield b"the end"

    return StreamingResponse(parts())


@pytest.mark.parametrize("handler", [huge_answer, huge_stream])
@pytest.mark.parametrize("header", [b"", b"connection: close\r\n"])
def test_a_client_may_read_slowly_and_may_not_stop(handler: Handler, header: bytes) -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(b"GET /a HTTP/1.1\r\nhost: x\r\n" + header + b"\r\n")
        read = 0
        for _ in range(3):
            read += len(await client.reader.readexactly(8 * 2**20))
            only_connection(server).expire()
        # What the system has taken from the connection meanwhile is not what counts.
        while server.connections:
            only_connection(server).expire()
            await asyncio.sleep(0)
        assert read + len(await client.ended()) < len(HUGE)

    play(story, handler)


def test_a_client_that_does_not_read_yet_is_not_blamed_for_the_time_the_node_takes() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield HUGE
            begun.set()
            await go.wait()
            async for part in request.parts():
                yield part

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\none")
        await begun.wait()
        only_connection(server).expire()
        go.set()
        await client.reader.readuntil(b"\r\n\r\n")
        await client.reader.readexactly(len(b"%x\r\n%b\r\n" % (len(HUGE), HUGE)))
        assert await client.reader.readuntil(b"one\r\n") == b"3\r\none\r\n"
        client.writer.write(b"two")
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"

    play(story, slow)


def test_a_client_that_reads_only_after_it_has_sent_everything_is_not_locked_out() -> None:
    async def twice(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            async for part in request.parts():
                yield part * 2

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        size = 12_000_000
        client.writer.write(b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            client.writer.write(b"x" * 100_000)
            await client.writer.drain()
        answer = await client.reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        received = 0
        while (length := int(await client.reader.readline(), 16)) > 0:
            received += len(await client.reader.readexactly(length))
            await client.reader.readexactly(2)
        assert received == 2 * size

    play(story, twice)


def test_a_stopping_server_answers_what_is_under_way_and_nothing_new() -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await gate.wait()
        return await echo(request)

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        busy, idle = await connect(), await connect()
        busy.writer.write(GET)
        await entered.wait()
        stopping = asyncio.create_task(server.stop(10))
        assert await idle.ended() == b""
        gate.set()
        status, headers, _ = await busy.answer()
        assert (status, headers["connection"]) == (200, "close")
        await stopping
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await connect()

    play(story, slow)


def test_a_client_under_way_with_its_next_request_when_the_server_stops_gets_an_answer() -> None:
    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET)
        await client.answer()
        stopping = asyncio.create_task(server.stop(10))
        await asyncio.sleep(0)
        client.writer.write(GET)
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        await stopping

    play(story)


def test_what_is_not_done_in_time_is_cut_off_with_the_handlers_answer() -> None:
    async def stuck(request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return Response(503, b"cut off")
        return Response(200)

    async def story(server: HttpServer, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        client.writer.write(GET)
        stopping = asyncio.create_task(server.stop(0.2))
        assert (await client.answer())[::2] == (503, b"cut off")
        await stopping

    play(story, stuck)
