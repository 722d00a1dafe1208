"""The replay client against real HTTP servers on the loopback interface."""

import argparse
import asyncio
import io
import json
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from inference_node.replay.arguments import DONE, NO_NODE, add_replay_arguments, run_replay
from inference_node.replay.errors import NodeNotThereError, ReplayInputError
from inference_node.replay.images import ReplayImages
from inference_node.replay.replay import ReplayOptions, find_node, replay
from inference_node.replay.report import ReplayReport
from simulator import Workload

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Every pixel of image n is n, so a server can tell the image, and the label, from its pixels.
PIXELS = np.repeat(np.arange(10, dtype=np.uint8), 32 * 32).reshape(10, 32, 32)
LABELS = np.arange(10)
IMAGES = ReplayImages.encoded(PIXELS, LABELS)


@asynccontextmanager
async def node(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/predict", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def node_in_a_thread(handler: Handler) -> Iterator[str]:
    urls: list[str] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with node(handler) as url:
            urls.append(url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        started.wait()
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def nobody() -> Iterator[str]:
    """An address that refuses connections: bound, so nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def seen_digit(request: web.Request) -> int:
    return int(np.asarray(Image.open(io.BytesIO(await request.read())))[0, 0])


async def right_answer(request: web.Request) -> web.StreamResponse:
    return web.json_response({"class": str(await seen_digit(request)), "record_id": "1"})


def replayed(
    handler: Handler, workload: Workload, options: ReplayOptions | None = None
) -> ReplayReport:
    async def run() -> ReplayReport:
        async with node(handler) as url:
            return await replay(workload, IMAGES, url, options or ReplayOptions())

    return run_checked(run)


def run_checked(run: Callable[[], Awaitable[ReplayReport]]) -> ReplayReport:
    async def checked() -> ReplayReport:
        report = await run()
        assert report.requests_scheduled == report.requests_sent + sum(report.not_sent.values())
        assert report.requests_sent == sum(report.responses.values()) + sum(report.errors.values())
        return report

    return asyncio.run(checked())


def at_once(count: int) -> Workload:
    return Workload.of(np.zeros(count))


def test_requests_leave_on_schedule_while_every_answer_is_held_back() -> None:
    # More requests than any default limit of connections; a client that waited for an answer, or
    # for a free connection, would wait for ever.
    count = 300
    arrived = 0
    all_arrived = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        nonlocal arrived
        arrived += 1
        if arrived == count:
            all_arrived.set()
        await all_arrived.wait()
        return await right_answer(request)

    report = replayed(hold, Workload.of(np.linspace(0, 0.3, count)))

    assert report.requests_sent == count
    assert report.responses == {200: count}
    assert not report.stopped


def test_a_request_carries_its_image_tenant_priority_labels_model_and_version() -> None:
    seen: list[tuple[object, ...]] = []

    async def note(request: web.Request) -> web.StreamResponse:
        names = ("Content-Type", "x-tenant", "x-priority", "x-origin", "x-labels")
        headers = [request.headers[name] for name in names]
        seen.append((await seen_digit(request), dict(request.query), *headers))
        return web.json_response({"class": "0"})

    workload = Workload.of(
        [0.0, 0.0, 0.0],
        key=[3, 14, 25],
        tenant=["search", "other", "a=b,c"],
        priority=["high", "normal", "batch"],
    )
    replayed(note, workload, ReplayOptions(model="digits", version="2"))

    query = {"model": "digits", "version": "2"}
    labels = "team=search,project=ranking"
    assert sorted(seen, key=str) == [
        (3, query, "image/png", "search", "high", "replay", labels),
        (4, query, "image/png", "other", "normal", "replay", "team=other,project=other"),
        (5, query, "image/png", "a=b,c", "batch", "replay", "team=a_b_c,project=a_b_c"),
    ]


def test_no_version_is_asked_for_unless_one_is_given() -> None:
    queries: list[dict[str, str]] = []

    async def note(request: web.Request) -> web.StreamResponse:
        queries.append(dict(request.query))
        return await right_answer(request)

    replayed(note, at_once(1))
    assert queries == [{"model": "digits"}]


def test_accuracy_is_the_share_of_200_answers_whose_class_is_the_label() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        digit = await seen_digit(request)
        if digit == 9:
            return web.json_response({"error": "overloaded"}, status=503)
        if digit == 8:
            return web.Response(text="not json")
        return web.json_response({"class": str(digit if digit < 6 else 0)})

    report = replayed(answer, at_once(10))

    assert report.responses == {200: 9, 503: 1}
    assert report.accuracy == 6 / 9
    assert report.latency_ms is not None
    assert report.latency_from_send_ms is not None
    assert report.latency_ms.p99 >= report.latency_from_send_ms.p50


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    assert replayed(away, at_once(1)).responses == {307: 1}


def test_a_refused_connection_is_counted_as_not_sent() -> None:
    async def run() -> ReplayReport:
        with nobody() as url:
            return await replay(at_once(3), IMAGES, url)

    report = run_checked(run)

    assert report.requests_sent == 0
    assert report.not_sent == {"refused": 3}
    assert report.errors == {}
    assert report.accuracy is None


def test_a_connection_that_breaks_after_the_send_is_counted_as_sent_and_unanswered() -> None:
    async def abort(request: web.Request) -> web.StreamResponse:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    report = replayed(abort, at_once(3))

    assert report.requests_sent == 3
    assert report.not_sent == {}
    assert set(report.errors) <= {"reset", "disconnected"}


def test_an_answer_that_breaks_off_is_counted_as_truncated() -> None:
    async def torn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    report = replayed(torn, at_once(1))
    assert (report.requests_sent, report.responses, report.errors) == (1, {}, {"truncated": 1})


def test_an_answer_that_is_not_http_is_counted_as_malformed() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"IEND\xaeB`\x82")
        writer.write(b"what?\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async def run() -> ReplayReport:
        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await replay(at_once(1), IMAGES, f"http://127.0.0.1:{port}")

    assert run_checked(run).errors == {"malformed": 1}


def test_a_node_that_falls_silent_is_counted_as_a_timeout_and_delays_nobody_else() -> None:
    replay_over = asyncio.Event()

    async def silent_for_nine(request: web.Request) -> web.StreamResponse:
        if await seen_digit(request) == 9:
            await replay_over.wait()
        return web.json_response({"class": "0"})

    async def run() -> ReplayReport:
        async with node(silent_for_nine) as url:
            report = await replay(at_once(10), IMAGES, url, ReplayOptions(timeout_s=1.0))
            replay_over.set()
            return report

    report = run_checked(run)
    assert report.responses == {200: 9}
    assert report.errors == {"timeout": 1}


def test_a_stop_ends_the_schedule_and_awaits_what_is_outstanding() -> None:
    # The second request is due in an hour.
    workload = Workload.of([0.0, 3600.0])
    stop = asyncio.Event()

    async def stop_then_answer(request: web.Request) -> web.StreamResponse:
        stop.set()
        for _ in range(100):
            await asyncio.sleep(0)
        return await right_answer(request)

    async def run() -> ReplayReport:
        async with node(stop_then_answer) as url:
            return await replay(workload, IMAGES, url, stop=stop)

    report = run_checked(run)
    assert report.stopped
    assert report.requests_scheduled == 1
    assert report.responses == {200: 1}


def test_a_stopped_replay_abandons_what_is_not_answered_within_the_grace() -> None:
    stop = asyncio.Event()
    replay_over = asyncio.Event()

    async def stop_then_hold(request: web.Request) -> web.StreamResponse:
        await request.read()
        stop.set()
        await replay_over.wait()
        return web.Response()

    async def run() -> ReplayReport:
        async with node(stop_then_hold) as url:
            options = ReplayOptions(grace_s=0.0)
            report = await replay(at_once(1), IMAGES, url, options, stop=stop)
            replay_over.set()
            return report

    report = run_checked(run)
    assert report.stopped
    assert report.errors == {"abandoned": 1}


def test_a_repeated_workload_goes_on_until_stopped() -> None:
    stop = asyncio.Event()
    answered = 0

    async def stop_at_the_fifth(request: web.Request) -> web.StreamResponse:
        nonlocal answered
        answered += 1
        if answered == 5:
            stop.set()
        return await right_answer(request)

    async def run() -> ReplayReport:
        async with node(stop_at_the_fifth) as url:
            options = ReplayOptions(repeat=True, speed=100)
            return await replay(at_once(2), IMAGES, url, options, stop=stop)

    report = run_checked(run)
    assert report.stopped
    assert report.responses[200] >= 5
    assert report.accuracy == 1.0


@pytest.mark.parametrize(
    ("workload", "url", "named"),
    [
        (at_once(1), "nowhere", "url is 'nowhere'"),
        (at_once(0), "http://127.0.0.1", "workload is 'empty'"),
        (Workload.of([0.0], items=[4]), "http://127.0.0.1", "items is 4"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    workload: Workload, url: str, named: str
) -> None:
    with pytest.raises(ReplayInputError, match="accepted") as raised:
        asyncio.run(replay(workload, IMAGES, url))
    assert named in str(raised.value)


def test_a_node_is_found_when_it_listens_and_named_when_it_does_not() -> None:
    async def find() -> None:
        async with node(right_answer) as url:
            await find_node(url)

    asyncio.run(find())
    with nobody() as url, pytest.raises(NodeNotThereError, match=f"no node at {url}: refused"):
        asyncio.run(find_node(url))


def options_for(tmp_path: Path, url: str, *more: str) -> argparse.Namespace:
    path = tmp_path / "digits.npz"
    np.savez(path, images=PIXELS, labels=LABELS)
    parser = argparse.ArgumentParser()
    add_replay_arguments(parser)
    return parser.parse_args(["--url", url, "--images", str(path), *more])


def test_the_command_replays_a_file_and_reports_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrivals = tmp_path / "arrivals.csv"
    arrivals.write_text("arrived_at_s,key\n" + "".join(f"{n / 100},{n}\n" for n in range(20)))

    with node_in_a_thread(right_answer) as url:
        options = options_for(tmp_path, url, "--arrivals", str(arrivals), "--json")
        assert run_replay(options) == DONE

    captured = capsys.readouterr()
    assert captured.err == ""
    report = json.loads(captured.out)
    assert report["requests_sent"] == 20
    assert report["responses"] == {"200": 20}
    assert report["accuracy"] == 1.0


@pytest.mark.parametrize("process", ["poisson", "bursty", "daily"])
def test_the_command_generates_arrivals_and_reports_a_table(
    process: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with node_in_a_thread(right_answer) as url:
        options = options_for(
            tmp_path, url, "--process", process, "--rate", "20", "--duration", "5", "--speed", "50"
        )
        assert run_replay(options) == DONE

    table = capsys.readouterr().out
    assert "accuracy                  100.00%\n" in table
    assert "errors                    0\n" in table


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_a_report(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = 0

    async def signal_at_the_tenth(request: web.Request) -> web.StreamResponse:
        nonlocal answered
        answered += 1
        if answered == 10:
            os.kill(os.getpid(), number)
        return await right_answer(request)

    with node_in_a_thread(signal_at_the_tenth) as url:
        options = options_for(
            tmp_path, url, "--process", "poisson", "--duration", "1", "--repeat", "--json"
        )
        assert run_replay(options) == DONE

    report = json.loads(capsys.readouterr().out)
    assert report["stopped"]
    assert report["requests_scheduled"] == report["responses"]["200"] >= 10


def test_the_command_says_in_one_line_that_no_node_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nobody() as url:
        assert run_replay(options_for(tmp_path, url, "--process", "poisson")) == NO_NODE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"replay: no node at {url}: refused\n"
