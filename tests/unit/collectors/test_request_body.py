"""A packed body is unpacked within its limit, or refused with the reason."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.receiving.request_body import RequestError, gunzip

MIB = 2**20


@given(st.binary(max_size=300_000))
def test_what_was_packed_comes_out_when_the_limit_is_its_very_size(content: bytes) -> None:
    assert gunzip(gzip.compress(content), len(content)) == content


@given(st.binary(min_size=1, max_size=100_000))
def test_one_byte_above_the_limit_is_too_large(content: bytes) -> None:
    with pytest.raises(RequestError, match="accepted: at most") as caught:
        gunzip(gzip.compress(content), len(content) - 1)
    assert caught.value.status == 413


def test_a_bomb_takes_no_more_memory_than_the_limit_says() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(RequestError):
            gunzip(bomb, MIB)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * MIB


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "ends too early"),
        (b"plain\n", "not gzip"),
        (gzip.compress(b"line\n", mtime=0)[:-9], "ends too early"),
        (gzip.compress(b"line\n", mtime=0) + b"more", "one gzip member"),
        (gzip.compress(b"a\n", mtime=0) + gzip.compress(b"b\n", mtime=0), "one gzip member"),
        (gzip.compress(b"a\n", mtime=0) + bytes(2 * 2**16), "one gzip member"),
        (gzip.compress(b"line\n", mtime=0)[:-8] + bytes(8), "not gzip"),
    ],
)
def test_what_is_not_one_gzip_member_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RequestError, match=reason) as caught:
        gunzip(body, 100)
    assert caught.value.status == 400
