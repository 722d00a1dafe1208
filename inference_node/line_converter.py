"""`python -m inference_node.line_converter`: JSON tensors of offline jobs to binary ones.

Parsing a hundred thousand numbers takes milliseconds of the interpreter, in which no request would
be answered. So it is done in a process of its own, which runs when nobody else wants to. It reads
frames from stdin and answers each on stdout, in their order, until stdin ends.

A frame is its length as four bytes, little-endian, and so much content: a line one way; the length
of the JSON, four bytes again, and the request with binary tensors the other way. A line that is
better left as it is gets an answer without content.
"""

import contextlib
import signal
import struct
import sys
from typing import BinaryIO

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType

from inference_node.errors import InvalidRequestError
from inference_node.models.session import NUMPY_TYPES
from inference_node.protocol.request import InferInput
from inference_node.protocol.signature import InputFormat
from inference_node.protocol.tensor_data import binary_data, json_tensor
from inference_node.scheduling.priority import give_way

LENGTH = struct.Struct("<I")


class _Input(Struct):
    name: str
    shape: list[int]
    datatype: str
    data: Raw
    parameters: Raw | UnsetType = UNSET


class _Line(Struct):
    inputs: list[_Input]
    outputs: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    parameters: Raw | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_Line)


def binary_request(line: bytes) -> tuple[bytes, int] | None:
    """Return the request in `line` with binary tensors, and the length of its JSON.

    None where there is anything unusual about it: who answers it has to say what.
    """
    inputs: list[dict[str, object]] = []
    parts: list[bytes] = []
    try:
        request = _decoder.decode(line)
        for tensor in request.inputs:
            kind = NUMPY_TYPES.get(tensor.datatype)
            fits = all(size > 0 for size in tensor.shape) and tensor.parameters is UNSET
            if kind is None or kind is np.object_ or not fits:
                return None
            given = InferInput(tensor.name, tensor.shape, tensor.datatype, tensor.data)
            shape = tuple(tensor.shape)
            accepted = InputFormat(tensor.name, tensor.datatype, shape, np.dtype(kind))
            data = binary_data(json_tensor(given, accepted))
            parts.append(data)
            inputs.append(
                {
                    "name": tensor.name,
                    "shape": tensor.shape,
                    "datatype": tensor.datatype,
                    "parameters": {"binary_data_size": len(data)},
                }
            )
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRequestError):
        return None
    content = {"inputs": inputs}
    for name in ("outputs", "id", "parameters"):
        value = getattr(request, name)
        if value is not UNSET:
            content[name] = value
    text = msgspec.json.encode(content)
    return b"".join([text, *parts]), len(text)


def convert_all(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer every frame of `source`, until it ends."""
    while len(size := source.read(LENGTH.size)) == LENGTH.size:
        line = source.read(*LENGTH.unpack(size))
        converted = binary_request(line)
        if converted is None:
            sink.write(LENGTH.pack(0))
        else:
            body, json_length = converted
            sink.write(LENGTH.pack(LENGTH.size + len(body)) + LENGTH.pack(json_length))
            sink.write(body)
        sink.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends it, by closing its stdin
    give_way()
    with contextlib.suppress(BrokenPipeError):
        convert_all(sys.stdin.buffer, sys.stdout.buffer)
