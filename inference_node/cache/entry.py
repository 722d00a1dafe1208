"""An answer as bytes, for the tiers that are not memory: both sides of the format.

Layout: magic and format version (4 bytes), XXH3 checksum of the rest (16), length of the header (4,
little-endian), header (MessagePack), then the tensors' bytes one after the other. Whatever is torn,
foreign, of another format or stored under another key decodes to None.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
import xxhash
from msgspec import Meta, Struct

from inference_node.models.session import DATATYPES, Tensor

MAGIC = b"ICR1"
CHECKSUM_BYTES = 16
LENGTH_BYTES = 4
HEAD_BYTES = len(MAGIC) + CHECKSUM_BYTES + LENGTH_BYTES
# An entry from further in the future was written by a clock that is wrong, or is since.
LARGEST_SKEW_US = 60_000_000

DTYPES: Mapping[str, "np.dtype[np.generic]"] = {
    datatype: np.dtype(kind).newbyteorder("<") for datatype, kind in DATATYPES.values()
}
DATATYPE_OF: Mapping["np.dtype[np.generic]", str] = {
    dtype: datatype for datatype, dtype in DTYPES.items()
}

Size = Annotated[int, Meta(ge=0)]
Time = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True)
class Entry:
    """An answer, when it was stored and when it stops being one (microseconds UTC)."""

    outputs: Mapping[str, Tensor]
    stored_at_us: int
    expires_at_us: int

    def fresh(self, now_us: int, ttl_us: int) -> bool:
        """Tell whether it still counts for somebody who keeps answers for `ttl_us`."""
        age_us = now_us - self.stored_at_us
        return -LARGEST_SKEW_US <= age_us < ttl_us and now_us < self.expires_at_us


@dataclass(frozen=True)
class Value:
    """An encoded entry, and until when a store keeps it (microseconds UTC)."""

    content: bytes
    expires_at_us: int


class _Part(Struct, frozen=True, array_like=True):
    """One tensor; `bytes` is its share of what follows the header."""

    name: str
    datatype: str
    shape: tuple[Size, ...]
    bytes: Size


class _Header(Struct, frozen=True, array_like=True):
    key: bytes
    stored_at_us: Time
    expires_at_us: Time
    parts: list[_Part]


_encode = msgspec.msgpack.Encoder().encode
_header_decoder = msgspec.msgpack.Decoder(_Header)
_elements_decoder = msgspec.msgpack.Decoder(list[object])


def encode_entry(key: bytes, entry: Entry) -> bytes | None:
    """Return `entry` as bytes; None where it holds what has no datatype in the protocol."""
    parts: list[_Part] = []
    contents: list[bytes] = []
    for name, tensor in entry.outputs.items():
        datatype = DATATYPE_OF.get(tensor.dtype)
        content = None if datatype is None else _content(tensor)
        if datatype is None or content is None:
            return None
        parts.append(_Part(name, datatype, tensor.shape, len(content)))
        contents.append(content)
    header = _encode(_Header(key, entry.stored_at_us, entry.expires_at_us, parts))
    length = len(header).to_bytes(LENGTH_BYTES, "little")
    rest = b"".join([length, header, *contents])
    return b"".join([MAGIC, _checksum(rest), rest])


def decode_entry(key: bytes, value: bytes) -> Entry | None:
    """Return what was stored under `key`, None where `value` is anything else. Never raises.

    The tensors are read-only and share the memory of `value`.
    """
    rest = memoryview(value)[len(MAGIC) + CHECKSUM_BYTES :]
    checksum = value[len(MAGIC) : len(MAGIC) + CHECKSUM_BYTES]
    if len(value) < HEAD_BYTES or value[: len(MAGIC)] != MAGIC or checksum != _checksum(rest):
        return None
    # What passes the checksum was encoded here or by somebody who wants to be believed.
    try:
        ends = LENGTH_BYTES + int.from_bytes(rest[:LENGTH_BYTES], "little")
        header = _header_decoder.decode(rest[LENGTH_BYTES:ends])
        outputs = _tensors(header.parts, rest[ends:])
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None
    if outputs is None or header.key != key:
        return None
    return Entry(outputs, header.stored_at_us, header.expires_at_us)


def _content(tensor: Tensor) -> bytes | None:
    if tensor.dtype.kind != "O":
        return tensor.tobytes()
    elements = tensor.ravel().tolist()
    if not _are_text_or_bytes(elements):
        return None
    try:
        return _encode(elements)
    except UnicodeEncodeError:
        return None


def _tensors(parts: Sequence[_Part], content: memoryview) -> dict[str, Tensor] | None:
    outputs: dict[str, Tensor] = {}
    begins = 0
    for part in parts:
        dtype = DTYPES.get(part.datatype)
        mine = content[begins : begins + part.bytes]
        begins += part.bytes
        if dtype is None or len(mine) != part.bytes:
            return None
        if dtype.kind == "O":
            elements = _elements_decoder.decode(mine)
            if not _are_text_or_bytes(elements) or len(elements) != math.prod(part.shape):
                return None
            flat = np.empty(len(elements), dtype)
            flat[:] = elements
            flat.flags.writeable = False
        elif part.bytes != math.prod(part.shape) * dtype.itemsize:
            return None
        else:
            flat = np.frombuffer(mine, dtype)
        outputs[part.name] = flat.reshape(part.shape)
    return outputs if begins == len(content) and len(outputs) == len(parts) else None


def _are_text_or_bytes(elements: list[object]) -> bool:
    return all(type(element) in (str, bytes) for element in elements)


def _checksum(content: bytes | memoryview) -> bytes:
    return xxhash.xxh3_128_digest(content)
