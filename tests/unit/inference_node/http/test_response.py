"""Answers as bytes."""

import json

from inference_node.errors import InvalidRequestError, MethodNotAllowedError, QueueFullError
from inference_node.http.response import (
    LONGEST_MESSAGE,
    STATUS_LINES,
    error_response,
    head_bytes,
    json_response,
)


def test_a_head_is_status_framing_and_headers() -> None:
    head = head_bytes(200, [(b"x-record-id", b"7")], b"content-length: 3\r\n", b"")
    assert head == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-record-id: 7\r\n\r\n"


def test_a_header_cannot_begin_another_one() -> None:
    head = head_bytes(200, [(b"x-request-id", b"a\r\nset-cookie: b\nc: d\re")])
    assert head.count(b"\r\n") == 3
    assert b"x-request-id: a  set-cookie: b c: d e\r\n" in head


def test_there_is_a_line_for_every_status_that_an_error_may_have() -> None:
    assert {400, 401, 403, 404, 405, 408, 413, 415, 499, 500, 503} <= STATUS_LINES.keys()


def test_an_error_quotes_only_so_much_of_what_the_client_sent() -> None:
    response = error_response(InvalidRequestError("n" * 1_000_000))
    assert response.status == 400
    assert json.loads(response.body) == {"error": "n" * LONGEST_MESSAGE}


def test_an_error_brings_the_headers_that_its_status_asks_for() -> None:
    assert (b"allow", b"POST") in error_response(MethodNotAllowedError("no", "POST")).headers
    assert (b"retry-after", b"1") in error_response(QueueFullError("full")).headers


def test_content_is_json() -> None:
    assert json.loads(json_response({"a": [1]}, 201).body) == {"a": [1]}
