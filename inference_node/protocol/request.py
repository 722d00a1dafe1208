"""The body of an infer request: JSON, and behind it the bytes of binary tensors.

Open Inference Protocol, version 2, with Triton's extensions binary_tensor_data, classification,
schedule_policy and system_shared_memory (docs/protocol/extension_*.md in
triton-inference-server/server).
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from inference_node.errors import InvalidRequestError
from inference_node.protocol.shared_memory import Place, Size, place_of

Bytes = bytes | bytearray | memoryview

# More digits than the size of any body has; int() refuses to read very many.
MOST_DIGITS = 18


class InputParameters(Struct, frozen=True):
    """What may be said about an input: where its bytes are, if its values are not in the JSON.
    `binary_data_size` counts those behind the JSON."""

    binary_data_size: Size | None = None
    shared_memory_region: str | None = None
    shared_memory_offset: Size = 0
    shared_memory_byte_size: Size | None = None


class OutputParameters(Struct, frozen=True):
    """What may be asked of an output; `classification` N: the N largest values with their names."""

    binary_data: bool | None = None
    classification: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    shared_memory_region: str | None = None
    shared_memory_offset: Size = 0
    shared_memory_byte_size: Size | None = None


class RequestParameters(Struct, frozen=True):
    """What may be asked of a request as a whole. `priority` is 1 (highest) and up, 0 the default;
    `timeout` is in microseconds, 0 the default. Unknown parameters are ignored; so are those of a
    sequence, which mean nothing to models that keep no state between requests."""

    priority: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    timeout: Size = 0
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
    """An infer request. `offsets` says for each input where in `body` its binary data begin,
    `places` where those lie, by name, that are in shared memory.

    `body` must stay as it is while the request and tensors made of it are in use.
    """

    id: str | None
    priority: int
    timeout_us: int
    inputs: list[InferInput]
    offsets: list[int]
    places: Mapping[str, Place]
    outputs: list[InferOutput]
    binary_data_output: bool
    body: Bytes


NO_PARAMETERS = RequestParameters()
NO_PLACES: Final[Mapping[str, Place]] = {}

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

    Raises InvalidRequestError for anything else, and for binary data of another size than the JSON
    says.
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
    places = NO_PLACES
    for tensor in header.inputs:
        offsets.append(offset)
        about = tensor.parameters
        if about is not None:
            place = _place(tensor, about)
            if place is not None:
                places = {**places, tensor.name: place}
            elif about.binary_data_size is not None:
                _require_no_data(tensor, "binary_data_size")
                offset += about.binary_data_size
    if offset != end:
        raise _wrong_size(header, header_length, end)
    parameters = header.parameters or NO_PARAMETERS
    return InferRequest(
        header.id,
        parameters.priority,
        parameters.timeout,
        header.inputs,
        offsets,
        places,
        header.outputs or [],
        parameters.binary_data_output,
        body,
    )


def _place(tensor: InferInput, about: InputParameters) -> Place | None:
    """Return where in shared memory `tensor` lies, None where it does not."""
    place = place_of(
        f"input {tensor.name!r}",
        about.shared_memory_region,
        about.shared_memory_offset,
        about.shared_memory_byte_size,
    )
    if place is not None:
        _require_no_data(tensor, "shared_memory_region")
        if about.binary_data_size is not None:
            raise InvalidRequestError(
                f"input {tensor.name!r} has binary_data_size and shared_memory_region; "
                "accepted: one of them"
            )
    return place


def _require_no_data(tensor: InferInput, other: str) -> None:
    if tensor.data is not msgspec.UNSET:
        raise InvalidRequestError(
            f"input {tensor.name!r} has data and {other}; accepted: one of them"
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
