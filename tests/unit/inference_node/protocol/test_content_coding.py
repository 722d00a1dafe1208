"""Compressed bodies: torn, huge, unknown; and what a client gets that accepts some."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.errors import BodyTooLargeError, ContentCodingError, InvalidRequestError
from inference_node.protocol.content_coding import (
    Coding,
    accepted_coding,
    decode_content,
    encode_content,
)

LIMIT = 1000
CODINGS: list[Coding] = ["gzip", "deflate"]


@given(st.binary(max_size=LIMIT), st.sampled_from(CODINGS), st.integers(0, LIMIT))
def test_what_is_encoded_is_decoded(content: bytes, coding: Coding, cut: int) -> None:
    body = encode_content([content[:cut], content[cut:]], coding)
    assert decode_content(body, coding, LIMIT) == content


def test_what_common_libraries_compress_is_decoded() -> None:
    assert decode_content(gzip.compress(b"text"), "gzip", LIMIT) == b"text"
    assert decode_content(zlib.compress(b"text"), "deflate", LIMIT) == b"text"


@pytest.mark.parametrize("header", ["", "identity", " Identity , ", ","])
def test_no_coding_leaves_the_body_as_it_is(header: str) -> None:
    assert decode_content(b"text", header, LIMIT) == b"text"


@pytest.mark.parametrize("header", ["GZIP", " gzip ", "x-gzip", "identity, gzip", "gzip,identity"])
def test_case_and_spaces_are_no_matter(header: str) -> None:
    assert decode_content(gzip.compress(b"text"), header, LIMIT) == b"text"


def test_several_codings_are_undone_from_the_last() -> None:
    body = gzip.compress(zlib.compress(b"text"))
    assert decode_content(body, "deflate, gzip", LIMIT) == b"text"
    with pytest.raises(InvalidRequestError):
        decode_content(body, "gzip, deflate", LIMIT)


@pytest.mark.parametrize("header", ["br", "gzip, zstd", "compress", "gzip deflate", "x" * 10_000])
def test_an_unknown_coding_is_refused_with_those_that_are_known(header: str) -> None:
    with pytest.raises(ContentCodingError) as refused:
        decode_content(b"text", header, LIMIT)
    assert "accepted: gzip, deflate, identity" in str(refused.value)
    assert len(str(refused.value)) < 300


def test_more_than_two_codings_are_refused() -> None:
    with pytest.raises(ContentCodingError, match="lists 3 codings; accepted: at most 2"):
        decode_content(b"text", "gzip, gzip, gzip", LIMIT)


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(coding: Coding) -> None:
    body = encode_content([bytes(LIMIT)], coding)
    assert len(decode_content(body, coding, LIMIT)) == LIMIT
    with pytest.raises(BodyTooLargeError, match=f"more than {LIMIT - 1} bytes"):
        decode_content(body, coding, LIMIT - 1)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_is_refused_before_it_takes_memory(coding: Coding) -> None:
    bomb = encode_content([bytes(2**26)], coding)
    tracemalloc.start()
    try:
        for header in (coding, f"identity, {coding}"):
            with pytest.raises(BodyTooLargeError):
                decode_content(bomb, header, 2**16)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", CODINGS)
@given(data=st.data())
def test_a_torn_body_is_refused(coding: Coding, data: st.DataObject) -> None:
    body = encode_content([b"some text " * 20], coding)
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(InvalidRequestError):
        decode_content(body[:cut], coding, LIMIT)


@pytest.mark.parametrize("coding", CODINGS)
def test_what_follows_the_end_is_refused(coding: Coding) -> None:
    body = encode_content([b"text"], coding)
    for more in (b"x", body):
        with pytest.raises(InvalidRequestError, match=f"{len(more)} bytes follow the end"):
            decode_content(body + more, coding, LIMIT)


@given(st.binary(max_size=100), st.sampled_from(CODINGS))
def test_garbage_is_refused_and_nothing_else_happens(body: bytes, coding: Coding) -> None:
    try:
        decode_content(body, coding, LIMIT)
    except (InvalidRequestError, BodyTooLargeError):
        return
    assert zlib.decompress(body, 47)


def test_a_body_whose_check_sum_is_wrong_is_refused() -> None:
    body = bytearray(gzip.compress(b"some text"))
    body[-6] ^= 1
    with pytest.raises(InvalidRequestError, match="the body is not gzip"):
        decode_content(bytes(body), "gzip", LIMIT)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("GZip ; Q=0.5", "gzip"),
        ("x-gzip", "gzip"),
        ("br", None),
        ("identity", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0, *", "deflate"),
        ("gzip;q=0", None),
        ("gzip;q=0.000, deflate;q=0", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=1", "gzip"),
        ("gzip;q=", None),
        ("gzip;q=x", None),
        ("gzip;q=1e3", None),
        ("gzip;q=-1", None),
        ("gzip;q=nan", None),
        ("gzip;q=7", None),
        ("gzip;level=9", None),
        (";;;,,,=", None),
        ("gzip;q=" + "9" * 10_000, None),
    ],
)
def test_the_best_liked_coding_is_taken(header: str, coding: Coding | None) -> None:
    assert accepted_coding(header) == coding
