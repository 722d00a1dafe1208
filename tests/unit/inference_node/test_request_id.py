"""Which names of requests are repeated, and which would do harm."""

import pytest

from inference_node.http.request import Request
from inference_node.request_id import request_id


def named(value: bytes | None) -> bytes | None:
    headers = {} if value is None else {b"x-request-id": value}
    return request_id(Request("GET", b"/", headers))


@pytest.mark.parametrize("value", [b"1", b"a b", b"~!{}\"'%s", b"r" * 128])
def test_printable_ascii_is_repeated_as_it_is(value: bytes) -> None:
    assert named(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"   ",
        b"r" * 129,
        b"r" * 1_000_000,
        b"a\nb",
        b"a\tb",
        b"\x1b[2J",
        b"caf\xe9",
        b"\x7f",
    ],
)
def test_anything_else_is_as_if_there_were_no_name(value: bytes | None) -> None:
    assert named(value) is None
