"""An answer survives the way to bytes and back; nothing else is taken for one."""

import struct

import msgspec
import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from inference_node.cache.entry import MAGIC, Entry, decode_entry, encode_entry
from inference_node.models.session import DATATYPES, Tensor
from tests.unit.inference_node.cache.tensors import TENSOR_MAPS, bits_of

KEY = b"k" * 20


def encoded(outputs: dict[str, Tensor], key: bytes = KEY) -> bytes:
    value = encode_entry(key, Entry(outputs, 5, 10))
    assert value is not None
    return value


def forged(header: object, content: bytes = b"") -> bytes:
    """Return a value that passes the checksum."""
    packed = msgspec.msgpack.encode(header)
    rest = struct.pack("<I", len(packed)) + packed + content
    return MAGIC + xxhash.xxh3_128_digest(rest) + rest


@given(TENSOR_MAPS)
def test_an_entry_comes_back_to_the_bit(outputs: dict[str, Tensor]) -> None:
    entry = decode_entry(KEY, encoded(outputs))
    assert entry is not None
    assert bits_of(entry.outputs) == bits_of(outputs)
    assert list(entry.outputs) == list(outputs)
    assert (entry.stored_at_us, entry.expires_at_us) == (5, 10)


@pytest.mark.parametrize("kind", [kind for _, kind in DATATYPES.values()], ids=str)
def test_every_datatype_of_the_protocol_comes_back_read_only(kind: type[np.generic]) -> None:
    tensor = np.array([["1", b""]], object) if kind is np.object_ else np.array([[1, 0]], kind)
    entry = decode_entry(KEY, encoded({"y": tensor}))
    assert entry is not None
    found = entry.outputs["y"]
    assert found.dtype == tensor.dtype
    assert found.tolist() == tensor.tolist()
    assert [type(element) for element in found.flat] == [type(e) for e in tensor.flat]
    with pytest.raises(ValueError, match="read-only"):
        found[...] = tensor


@given(TENSOR_MAPS, st.data())
def test_a_torn_or_changed_value_is_a_miss(outputs: dict[str, Tensor], data: st.DataObject) -> None:
    value = encoded(outputs)
    cut = data.draw(st.integers(0, len(value) - 1))
    changed = bytearray(value)
    changed[cut] ^= data.draw(st.integers(1, 255))
    assert decode_entry(KEY, value[:cut]) is None
    assert decode_entry(KEY, value[cut + 1 :]) is None
    assert decode_entry(KEY, bytes(changed)) is None
    assert decode_entry(KEY, value + b"\0") is None


@given(st.binary(max_size=100))
def test_a_foreign_value_is_a_miss(value: bytes) -> None:
    assert decode_entry(KEY, value) is None
    assert decode_entry(KEY, MAGIC + value) is None
    assert decode_entry(KEY, MAGIC + xxhash.xxh3_128_digest(value) + value) is None


def test_an_entry_under_another_key_is_a_miss() -> None:
    assert decode_entry(b"other", encoded({"y": np.zeros(1)})) is None


FORGED = {
    "no header": None,
    "a negative time": [KEY, -1, 10, []],
    "an unknown datatype": [KEY, 5, 10, [["y", "BF17", [1], 2]]],
    "a negative size": [KEY, 5, 10, [["y", "FP32", [-1], 4]]],
    "more than there is": [KEY, 5, 10, [["y", "FP32", [2], 8]]],
    "less than there is": [KEY, 5, 10, []],
    "another shape": [KEY, 5, 10, [["y", "FP32", [2], 4]]],
    "a shape that overflows": [KEY, 5, 10, [["y", "FP32", [2**62, 2**62], 4]]],
    "an empty shape that overflows": [
        KEY, 5, 10, [["a", "FP32", [0, 2**63], 0], ["y", "FP32", [1], 4]]
    ],
    "too many dimensions": [KEY, 5, 10, [["y", "FP32", [1] * 70, 4]]],
    "a name twice": [KEY, 5, 10, [["y", "FP16", [1], 2], ["y", "FP16", [1], 2]]],
    "no text": [KEY, 5, 10, [["y", "BYTES", [4], 4]]],
}  # fmt: skip


@pytest.mark.parametrize("header", FORGED.values(), ids=FORGED.keys())
def test_a_value_that_only_looks_right_is_a_miss(header: object) -> None:
    assert decode_entry(KEY, forged(header, b"\1\2\3\4")) is None


def test_the_forger_of_these_tests_can_forge() -> None:
    entry = decode_entry(KEY, forged([KEY, 5, 10, [["y", "UINT8", [4], 4]]], b"\1\2\3\4"))
    assert entry is not None
    assert entry.outputs["y"].tolist() == [1, 2, 3, 4]


def test_text_elements_of_another_kind_are_a_miss() -> None:
    for elements in ([1, 2], [["a"], ["b"]], [None, None], {"a": 1, "b": 2}, ["a"], "ab"):
        content = msgspec.msgpack.encode(elements)
        header = [KEY, 5, 10, [["y", "BYTES", [2], len(content)]]]
        assert decode_entry(KEY, forged(header, content)) is None, elements


@pytest.mark.parametrize(
    "tensor",
    [
        np.zeros(1, np.complex64),
        np.zeros(1, ">f4"),
        np.zeros(1, "S3"),
        np.array([1], object),
        np.array(["\ud800"], object),
    ],
    ids=["complex", "big-endian", "fixed text", "numbers as objects", "half a character"],
)
def test_what_the_protocol_does_not_know_is_not_encoded(tensor: Tensor) -> None:
    assert encode_entry(KEY, Entry({"y": tensor}, 5, 10)) is None


def test_an_entry_is_fresh_until_it_expires_or_is_older_than_asked() -> None:
    entry = Entry({}, 100_000_000, 200_000_000)
    assert entry.fresh(100_000_000, 1)
    assert entry.fresh(199_999_999, 100_000_000)
    assert not entry.fresh(200_000_000, 200_000_000), "its own time is up"
    assert not entry.fresh(150_000_000, 50_000_000), "older than somebody now accepts"
    assert entry.fresh(99_000_000, 1), "clocks of two machines are never quite the same"
    assert not entry.fresh(1_000_000, 100_000_000), "a clock that was wrong"
