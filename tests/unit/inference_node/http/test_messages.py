"""Reading a request and writing an answer on top of ASGI."""

import asyncio
import json

import pytest

from inference_node.errors import BodyTooLargeError, ClientGoneError, InvalidRequestError
from inference_node.http.messages import (
    LONGEST_MESSAGE,
    Receive,
    Request,
    error_response,
    json_response,
)
from tests.unit.inference_node.asgi import Sent, nothing_more, receiving, scope


def body_of(receive: Receive, limit: int, **headers: str) -> tuple[bytes, int]:
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(scope("POST", "/predict", pairs), receive)
    return asyncio.run(request.body(limit)), request.body_bytes


def bytes_counted_until_refused(receive: Receive, limit: int, error: type[Exception]) -> int:
    request = Request(scope("POST", "/predict"), receive)
    with pytest.raises(error):
        asyncio.run(request.body(limit))
    return request.body_bytes


def test_a_body_is_its_parts_together() -> None:
    assert body_of(receiving(b"ab", b"", b"c"), 3) == (b"abc", 3)
    assert body_of(receiving(b""), 1) == (b"", 0)


def test_a_declared_length_above_the_limit_is_refused_before_a_byte_is_read() -> None:
    async def never() -> dict[str, object]:
        raise AssertionError("the body was read")

    with pytest.raises(BodyTooLargeError, match="has 11 bytes; accepted: at most 10"):
        body_of(never, 10, content_length="11")


def test_a_body_that_grows_beyond_the_limit_is_refused_at_the_part_that_exceeds_it() -> None:
    parts = [b"x" * 4] * 10
    assert bytes_counted_until_refused(receiving(*parts), 10, BodyTooLargeError) == 12


def test_a_client_that_leaves_halfway_is_noticed_and_what_came_is_counted() -> None:
    receive = receiving(b"x" * 4, b"y" * 3, complete=False)
    assert bytes_counted_until_refused(receive, 10, ClientGoneError) == 7


def test_the_last_of_repeated_query_parameters_counts_and_empty_ones_do_not() -> None:
    request = Request(scope("POST", "/predict", query="model=a&model=b&version="), nothing_more)
    assert request.query("model") == "b"
    assert request.query("version") is None
    assert request.query("other") is None


def test_query_bytes_that_are_no_utf8_do_no_harm() -> None:
    request = Request(scope("POST", "/predict", query="model=%ff%00"), nothing_more)
    assert request.query("model") == "\ufffd\0"


def test_headers_are_stripped_and_absent_ones_are_none() -> None:
    request = Request(scope("POST", "/predict", {"x-tenant": " caf\xe9 "}), nothing_more)
    assert request.header("x-tenant") == "caf\xe9"
    assert request.header("x-origin") is None


def test_an_answer_has_status_type_length_and_what_was_added() -> None:
    sent = Sent()
    response = json_response({"a": 1}, 201)
    response.add_headers([(b"x-record-id", b"7")])
    asyncio.run(response.send(sent))
    assert sent.status == 201
    assert sent.headers == {
        "content-type": "application/json",
        "content-length": "7",
        "x-record-id": "7",
    }
    assert sent.body == b'{"a":1}'


def test_an_error_quotes_only_so_much_of_what_the_client_sent() -> None:
    response = error_response(InvalidRequestError("n" * 1_000_000))
    assert response.status == 400
    assert json.loads(response.body) == {"error": "n" * LONGEST_MESSAGE}
