"""A server that stops: whoever has asked already gets an answer, and no handler is left at work."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from inference_node.http import connection as connection_module
from inference_node.http.connection import Connection
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse
from inference_node.http.server import HttpServer
from tests.unit.inference_node.http.test_connection import GET, Client, echo, play, post

Connect = Callable[[], Awaitable[Client]]


def address_of(client: Client) -> tuple[str, int]:
    name: tuple[str, int] = client.writer.get_extra_info("peername")
    return name


def only_connection(server: HttpServer) -> Connection:
    [connection] = server._connections
    return connection


class Gate:
    """A handler that waits until it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.ended = 0

    async def __call__(self, request: Request) -> Response:
        self.entered.set()
        await self.open.wait()
        self.ended += 1
        return await echo(request)


def test_a_client_that_the_system_has_connected_but_the_server_not_seen_yet_gets_its_answer() -> (
    None
):
    async def story(server: HttpServer, connect: Connect) -> None:
        address = address_of(await connect())
        with socket.create_connection(address) as unseen:
            unseen.sendall(GET)
            # The loop had no turn in between: it cannot have accepted it.
            await server.stop(10)
            answer = unseen.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"connection: close\r\n" in answer

    play(story)


def test_pipelined_requests_that_have_come_when_the_server_stops_are_all_answered() -> None:
    gate = Gate()

    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(b"".join(post(b"%d" % number) for number in range(5)))
        await gate.entered.wait()
        stopping = asyncio.create_task(server.stop(10))
        await asyncio.sleep(0)
        gate.open.set()
        for number in range(5):
            _, headers, body = await client.answer()
            assert body == b"POST /b %d" % number
            assert headers.get("connection") == ("close" if number == 4 else None)
        await stopping

    play(story, gate)


@pytest.mark.parametrize("cut", [12, len(GET) - 1])
def test_a_request_whose_head_is_under_way_when_the_server_stops_is_waited_for(cut: int) -> None:
    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(GET[:cut])
        while not only_connection(server)._in_head:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop(10))
        # Longer than an idle connection is waited for.
        await asyncio.wait([stopping], timeout=0.6)
        client.writer.write(GET[cut:])
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        await stopping

    play(story)


def test_a_head_that_never_ends_is_told_that_the_server_stops() -> None:
    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(GET[:12])
        while not only_connection(server)._in_head:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop(0.1))
        status, headers, body = await client.answer()
        assert (status, headers["connection"]) == (503, "close")
        assert b"stopping" in body
        assert await client.ended() == b""
        client.writer.close()
        await stopping

    play(story)


def test_a_request_that_came_while_the_loop_was_held_up_is_answered_not_closed() -> None:
    async def story(server: HttpServer, connect: Connect) -> None:
        address = address_of(await connect())
        first = only_connection(server)
        with socket.create_connection(address) as client:
            while server.connections < 2:
                await asyncio.sleep(0)
            [second] = server._connections - {first}
            client.sendall(GET)
            second.expire()  # before the loop could read
            reader, writer = await asyncio.open_connection(sock=client.dup())
            assert (await Client(reader, writer).answer())[0] == 200
            second.expire()
            assert await reader.read() == b""
            writer.close()

    play(story)


def test_a_stop_waits_for_a_handler_whose_client_is_gone() -> None:
    ended: list[str] = []
    entered, let_go = asyncio.Event(), asyncio.Event()

    async def executing(request: Request) -> Response:
        entered.set()
        try:
            await let_go.wait()
        except asyncio.CancelledError:
            await let_go.wait()
        ended.append(request.path)
        return Response(200)

    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(GET)
        await entered.wait()
        client.writer.transport.abort()
        while server.connections:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop(10))
        await asyncio.wait([stopping], timeout=0.1)
        assert not stopping.done()
        let_go.set()
        await stopping
        assert ended == ["/a"]

    play(story, executing)


@pytest.mark.parametrize("client_stays", [True, False])
def test_what_goes_on_after_the_first_word_is_given_up_at_the_second(client_stays: bool) -> None:
    entered = asyncio.Event()
    ended: list[int] = []

    async def stubborn(request: Request) -> Response:
        entered.set()
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(len(ended) + 1)
        return Response(503, b"given up")

    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(GET)
        await entered.wait()
        if not client_stays:
            client.writer.transport.abort()
            while server.connections:
                await asyncio.sleep(0)
        await server.stop(0.1)
        assert ended == [1, 2]
        if client_stays:
            assert (await client.answer())[::2] == (503, b"given up")

    play(story, stubborn)


def test_a_request_that_begins_in_the_turn_in_which_the_drain_ends_is_handled_and_answered() -> (
    None
):
    async def cut(request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return Response(503, b"cut")
        return Response(200)

    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        while not server.connections:
            await asyncio.sleep(0)
        connection = only_connection(server)
        # As the loop does where both are due in one turn: the handler has not taken a step yet.
        connection.data_received(GET)
        connection.cut_off()
        assert (await client.answer())[::2] == (503, b"cut")

    play(story, cut)


def test_what_was_streamed_before_the_cut_arrives_and_is_seen_to_be_incomplete() -> None:
    size = 20_000_000  # more than the system takes

    async def endless(request: Request) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield b"x" * size
            await asyncio.Event().wait()

        return StreamingResponse(parts())

    async def story(server: HttpServer, connect: Connect) -> None:
        client = await connect()
        client.writer.write(GET)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"chunked" in head
        streaming = only_connection(server)
        stopping = asyncio.create_task(server.stop(0.1))
        while not streaming._closing:
            await asyncio.sleep(0.01)
        sent = await client.reader.read()
        assert sent.count(b"x") == size
        assert not sent.endswith(b"0\r\n\r\n")
        client.writer.close()
        await stopping

    play(story, endless)


def test_a_client_that_reads_slowly_gets_all_of_its_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "LINGER_S", 0.01)
    size = 20_000_000

    async def large(request: Request) -> Response:
        return Response(200, b"x" * size)

    async def story(server: HttpServer, connect: Connect) -> None:
        address = address_of(await connect())
        with socket.create_connection(address) as slow:
            slow.sendall(GET.replace(b"host: x", b"connection: close"))
            # It reads nothing while the server looks at its deadlines, twice.
            await asyncio.sleep(0.6)
            reader, writer = await asyncio.open_connection(sock=slow.dup())
            assert len((await Client(reader, writer).answer())[2]) == size
            writer.close()

    play(story, large)
