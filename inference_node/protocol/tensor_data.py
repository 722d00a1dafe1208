"""The values of one tensor: JSON or binary to numpy, and back."""

import math
import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from inference_node.errors import InvalidRequestError
from inference_node.models.session import Tensor
from inference_node.protocol.request import Bytes, InferInput
from inference_node.protocol.signature import InputFormat

# What JSON must hold for numpy's kinds: 1 is no bool, true is no number, 1.5 is no integer.
ELEMENTS: Mapping[str, type] = {"f": float, "i": int, "u": int, "b": bool, "O": str}
NESTED = re.compile(rb"\[\s*\[")

# A BYTES element is its length, a little-endian unsigned integer, and so many bytes.
LENGTH = struct.Struct("<I")


def json_tensor(given: InferInput, accepted: InputFormat) -> Tensor:
    """Return the tensor that `given` holds as JSON; its shape is known to fit.

    Raises InvalidRequestError, which names the input, for values that are none of the datatype or
    not as many as the shape says.
    """
    name = f"input {given.name!r}"
    if given.data is msgspec.UNSET:
        raise InvalidRequestError(f"{name} has neither data nor binary_data_size")
    nested = NESTED.match(given.data) is not None
    depth = len(given.shape) if nested else 1
    decoder = _data_decoder(ELEMENTS[accepted.dtype.kind], depth)
    try:
        values = decoder.decode(given.data)
        with np.errstate(over="raise"):
            data = np.array(values, accepted.dtype)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"{name}: data do not fit {accepted.datatype}: {error}"
        ) from error
    except (OverflowError, FloatingPointError) as error:
        raise InvalidRequestError(f"{name} holds a value outside {accepted.datatype}") from error
    except ValueError as error:
        raise InvalidRequestError(f"{name} has ragged data; accepted: flat or whole") from error
    if nested and data.shape != tuple(given.shape):
        raise InvalidRequestError(
            f"{name} holds data of shape {list(data.shape)}; its shape says {given.shape}"
        )
    if data.size != math.prod(given.shape):
        raise InvalidRequestError(
            f"{name} holds {data.size} values; its shape {given.shape} needs "
            f"{math.prod(given.shape)}"
        )
    return data.reshape(given.shape)


def binary_tensor(
    given: InferInput,
    accepted: InputFormat,
    body: Bytes,
    offset: int,
    size: int,
    size_name: str = "binary_data_size",
) -> Tensor:
    """Return the tensor in the `size` bytes of `body` from `offset` on; its shape is known to fit.

    Where the bytes lie as numpy needs them the tensor is a view of `body`, read-only if `body` is.
    `size_name` is the parameter that told the size.
    Raises InvalidRequestError, which names the input, for bytes that are none of the datatype or
    not as many as the shape says.
    """
    dtype = accepted.dtype
    if dtype.kind == "O":
        return _strings(given, body, offset, size, size_name)
    if size != math.prod(given.shape) * dtype.itemsize:
        raise InvalidRequestError(
            f"input {given.name!r} has {size_name} {size}; its shape {given.shape} needs "
            f"{math.prod(given.shape) * dtype.itemsize} bytes of {accepted.datatype}"
        )
    tensor: Tensor = np.ndarray(given.shape, dtype, body, offset)
    if dtype.kind == "b" and tensor.view(np.uint8).max() > 1:
        raise InvalidRequestError(f"input {given.name!r} holds a byte that is no BOOL, 0 or 1")
    # Compiled kernels may count on it that a number lies at a multiple of its size.
    return tensor if tensor.flags.aligned else tensor.copy()


def binary_data(tensor: Tensor) -> bytes:
    """Return the values of `tensor` as the binary extension wants them."""
    if tensor.dtype.kind != "O":
        return tensor.tobytes()
    parts: list[bytes] = []
    for value in tensor.ravel().tolist():
        text = value.encode()
        parts += (LENGTH.pack(len(text)), text)
    return b"".join(parts)


def _strings(given: InferInput, body: Bytes, offset: int, size: int, size_name: str) -> Tensor:
    """Return BYTES elements as `str`: ONNX Runtime's Python interface has no other strings."""
    name = f"input {given.name!r}"
    count = math.prod(given.shape)
    if count * LENGTH.size > size:
        raise InvalidRequestError(
            f"{name} has {size_name} {size}; its shape {given.shape} needs at least "
            f"{count * LENGTH.size} bytes of BYTES"
        )
    view = memoryview(body)[offset : offset + size]
    values = np.empty(count, np.object_)
    at = 0
    for number in range(count):
        begin = at + LENGTH.size
        if begin > size or (at := begin + LENGTH.unpack_from(view, at)[0]) > size:
            raise InvalidRequestError(
                f"{name}: element {number} goes beyond the {size_name} of {size}"
            )
        try:
            values[number] = str(view[begin:at], "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequestError(
                f"{name}: element {number} is no UTF-8 text; accepted: UTF-8"
            ) from error
    if at != size:
        raise InvalidRequestError(
            f"{name} has {size_name} {size}; its {count} elements take {at} bytes"
        )
    return values.reshape(given.shape)


@lru_cache(maxsize=64)
def _data_decoder(element: type, depth: int) -> msgspec.json.Decoder[Any]:
    """Return a strict decoder of lists in lists, `depth` of them, that hold `element`."""
    kind: Any = element
    for _ in range(depth):
        kind = list[kind]
    return msgspec.json.Decoder(kind)
