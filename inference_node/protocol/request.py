"""The body of an infer request: JSON, and behind it the bytes of binary tensors.

Open Inference Protocol, version 2, with Triton's extensions binary_tensor_data, classification and
schedule_policy (docs/protocol/extension_*.md in triton-inference-server/server).
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from inference_node.errors import InvalidRequestError

Bytes = bytes | bytearray | memoryview

# More digits than the size of any body has; int() refuses to read very many.
MOST_DIGITS = 18

Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class InputParameters(Struct, frozen=True):
    """What may be said about an input. `binary_data_size` counts its bytes behind the JSON."""

    binary_data_size: Size | None = None
    shared_memory_region: str | None = None


class OutputParameters(Struct, frozen=True):
    """What may be asked of an output; `classification` N: the N largest values with their names."""

    binary_data: bool | None = None
    classification: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    shared_memory_region: str | None = None


class RequestParameters(Struct, frozen=True):
    """What may be asked of a request as a whole. `priority` is 1 (highest) and up, 0 the default;
    `timeout` is in microseconds, 0 the default. Unknown parameters are ignored."""

    priority: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    timeout: Size = 0
    sequence_id: int | str = 0
    binary_data_output: bool = False


class InferInput(Struct):
    """One input tensor; `data` is flat or nested in row-major order, absent where they are binary.

    It is decoded once its datatype and shape are known to be what the model takes.
    """

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    parameters: InputParameters | None = None


class InferOutput(Struct):
    """A requested output."""

    name: str
    parameters: OutputParameters | None = None


class InferHeader(Struct):
    """The JSON of an infer request."""

    inputs: list[InferInput]
    outputs: list[InferOutput] | None = None
    id: str | None = None
    parameters: RequestParameters | None = None


class InferRequest(Struct, frozen=True):
    """An infer request. `offsets` says for each input where in `body` its binary data begin.

    `body` must stay as it is while the request and tensors made of it are in use.
    """

    id: str | None
    priority: int
    timeout_us: int
    inputs: list[InferInput]
    offsets: list[int]
    outputs: list[InferOutput]
    binary_data_output: bool
    body: Bytes


NO_PARAMETERS = RequestParameters()

_decoder = msgspec.json.Decoder(InferHeader)


def decode_header_length(value: str) -> int:
    """Return the number in header `Inference-Header-Content-Length`; raises InvalidRequestError."""
    text = value.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise InvalidRequestError(
            f"Inference-Header-Content-Length is {value[:200]!r}; accepted: a number of bytes"
        )
    return int(text)


def decode_infer(body: Bytes, header_length: int | None = None) -> InferRequest:
    """Return the request in `body`, whose first `header_length` bytes are JSON, None for all.

    Raises InvalidRequestError for anything else, for binary data of another size than the JSON
    says, and for what the node does not do: sequences and shared memory.
    """
    end = len(body)
    text: Bytes = body
    if header_length is not None:
        if header_length > end:
            raise InvalidRequestError(
                f"Inference-Header-Content-Length is {header_length}; accepted: at most the "
                f"body's {end} bytes"
            )
        text = memoryview(body)[:header_length]
    try:
        header = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the body is no infer request: {error}") from error
    offset = end if header_length is None else header_length
    offsets = []
    for tensor in header.inputs:
        offsets.append(offset)
        about = tensor.parameters
        if about is not None:
            offset += _binary_size(tensor, about)
    if offset != end:
        raise _wrong_size(header, header_length, end)
    parameters = header.parameters or NO_PARAMETERS
    if parameters.sequence_id:
        raise InvalidRequestError(
            f"parameter sequence_id is {parameters.sequence_id!r}; sequences are not supported"
        )
    outputs = header.outputs or []
    for output in outputs:
        if output.parameters is not None and output.parameters.shared_memory_region is not None:
            raise _shared_memory("output", output.name)
    return InferRequest(
        header.id,
        parameters.priority,
        parameters.timeout,
        header.inputs,
        offsets,
        outputs,
        parameters.binary_data_output,
        body,
    )


def _binary_size(tensor: InferInput, about: InputParameters) -> int:
    """Return how many bytes behind the JSON belong to `tensor`."""
    if about.shared_memory_region is not None:
        raise _shared_memory("input", tensor.name)
    if about.binary_data_size is None:
        return 0
    if tensor.data is not msgspec.UNSET:
        raise InvalidRequestError(
            f"input {tensor.name!r} has data and binary_data_size; accepted: one of them"
        )
    return about.binary_data_size


def _shared_memory(kind: str, name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{kind} {name!r} has parameter shared_memory_region; shared memory is not supported"
    )


def _wrong_size(header: InferHeader, header_length: int | None, end: int) -> InvalidRequestError:
    sizes = [tensor.parameters and tensor.parameters.binary_data_size for tensor in header.inputs]
    named = sum(size or 0 for size in sizes)
    if header_length is None:
        return InvalidRequestError(
            f"binary_data_size says {named} bytes, but header Inference-Header-Content-Length, "
            "which says where they begin, is missing"
        )
    return InvalidRequestError(
        f"{end - header_length} bytes follow the JSON of {header_length} bytes; the inputs' "
        f"binary_data_size add up to {named}"
    )
