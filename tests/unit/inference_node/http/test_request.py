"""A request that comes in part by part, and is read whole or part by part."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from inference_node.errors import BodyTooLargeError, ClientGoneError, RequestTimeoutError
from inference_node.http.request import READ_AHEAD_BYTES, Request

Result = TypeVar("Result")


def run(story: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(story, 10))


def request(target: bytes = b"/predict", **headers: str) -> Request:
    pairs = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("POST", target, pairs)


def test_a_body_is_its_parts_together() -> None:
    async def story() -> None:
        whole = request()
        for part in (b"ab", b"", b"c"):
            whole.arrived(part)
        whole.ended()
        assert await whole.body(3) == b"abc"
        assert whole.body_bytes == 3

    run(story())


def test_a_body_that_is_not_there_yet_is_waited_for() -> None:
    async def story() -> None:
        slow = request()
        reading = asyncio.create_task(slow.body(10))
        await asyncio.sleep(0)
        slow.arrived(b"abc")
        await asyncio.sleep(0)
        assert not reading.done()
        slow.ended()
        assert await reading == b"abc"

    run(story())


def test_a_declared_length_above_the_limit_is_refused_before_a_byte_is_there() -> None:
    with pytest.raises(BodyTooLargeError, match="has 11 bytes; accepted: at most 10"):
        run(request(content_length="11").body(10))


def test_a_body_that_grows_beyond_the_limit_is_refused_at_the_part_that_exceeds_it() -> None:
    async def story() -> None:
        growing = request()
        reading = asyncio.create_task(growing.body(10))
        for _ in range(3):
            await asyncio.sleep(0)
            growing.arrived(b"x" * 4)
        with pytest.raises(BodyTooLargeError, match="more than 10 bytes"):
            await reading
        assert growing.body_bytes == 12

    run(story())


@pytest.mark.parametrize("failure", [ClientGoneError("gone"), RequestTimeoutError("too long")])
def test_a_request_that_fails_raises_where_its_body_is_waited_for(failure: Exception) -> None:
    async def story() -> None:
        failing = request()
        reading = asyncio.create_task(failing.body(10))
        await asyncio.sleep(0)
        failing.arrived(b"xyz")
        assert isinstance(failure, ClientGoneError | RequestTimeoutError)
        failing.fail(failure)
        with pytest.raises(type(failure)):
            await reading
        assert failing.body_bytes == 3

    run(story())


def test_the_first_failure_is_the_one_that_counts_and_a_complete_body_outlives_it() -> None:
    async def story() -> None:
        whole = request()
        whole.arrived(b"abc")
        whole.ended()
        first = ClientGoneError("gone")
        whole.fail(first)
        whole.fail(RequestTimeoutError("late"))
        assert whole.failure is first
        assert await whole.body(3) == b"abc"

    run(story())


def test_parts_are_handed_on_as_they_come() -> None:
    async def story() -> None:
        streamed = request()
        parts = streamed.parts()
        streamed.arrived(b"a")
        assert await anext(parts) == b"a"
        waiting = asyncio.ensure_future(anext(parts, None))
        await asyncio.sleep(0)
        assert not waiting.done()
        streamed.arrived(b"b")
        assert await waiting == b"b"
        streamed.ended()
        assert await anext(parts, None) is None

    run(story())


def test_a_client_that_sends_more_than_is_read_has_to_wait() -> None:
    flows: list[bool] = []

    async def story() -> None:
        streamed = Request("POST", b"/", {}, set_flow=flows.append)
        streamed.arrived(b"x" * READ_AHEAD_BYTES)
        assert flows == []
        streamed.arrived(b"y")
        streamed.arrived(b"z")
        assert flows == [False]
        parts = streamed.parts()
        await anext(parts)
        assert flows == [False, True]

    run(story())


def test_a_body_that_nobody_will_read_is_counted_and_thrown_away() -> None:
    flows: list[bool] = []
    ignored = Request("POST", b"/", {}, set_flow=flows.append)
    ignored.arrived(b"x" * (READ_AHEAD_BYTES + 1))
    ignored.discard()
    ignored.arrived(b"x" * (READ_AHEAD_BYTES + 1))
    assert flows == [False, True]
    assert ignored.body_bytes == 2 * READ_AHEAD_BYTES + 2


def test_a_client_that_waits_for_a_word_gets_it_when_its_body_is_waited_for() -> None:
    words: list[str] = []

    async def story() -> None:
        polite = Request("POST", b"/", {}, send_continue=lambda: words.append("go on"))
        waited = [polite.awaits_word]
        reading = asyncio.create_task(polite.body(10))
        await asyncio.sleep(0)
        assert words == ["go on"]
        waited.append(polite.awaits_word)
        assert waited == [True, False]
        polite.arrived(b"abc")
        polite.ended()
        assert await reading == b"abc"

    run(story())
    assert words == ["go on"]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/v2/models/m/infer?x=1", "/v2/models/m/infer"),
        (b"http://node:8000/v2?x=1", "/v2"),
        (b"http://node:8000", "/"),
        (b"*", "/"),
        (b"", "/"),
        (b"/\xff", "/\xff"),
    ],
)
def test_the_path_is_what_stands_between_host_and_question_mark(target: bytes, path: str) -> None:
    assert request(target).path == path


def test_the_last_of_repeated_query_parameters_counts_and_empty_ones_do_not() -> None:
    asked = request(b"/predict?model=a&model=b&version=")
    assert asked.query("model") == "b"
    assert asked.query("version") is None
    assert asked.query("other") is None
    assert request().query("model") is None


def test_query_bytes_that_are_no_utf8_do_no_harm() -> None:
    assert request(b"/predict?model=%ff%00").query("model") == "\ufffd\0"


def test_headers_are_stripped_and_absent_ones_are_none() -> None:
    asked = Request("GET", b"/", {b"x-tenant": b" caf\xe9 "})
    assert asked.header("x-tenant") == "caf\xe9"
    assert asked.header("x-origin") is None
