"""What the JSON of an infer request comes to for one model, worked out once for equal JSON.

Clients ask the same again and again with other values. Where all values are binary, the JSON in
front of them is the same bytes each time, and so is everything that can be known of the request
but its tensors.
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct, structs

from inference_node.models.session import Tensor
from inference_node.protocol.digest import digest_seed
from inference_node.protocol.inputs import input_tensors
from inference_node.protocol.request import InferRequest, decode_infer
from inference_node.protocol.response import requested_outputs
from inference_node.protocol.shared_memory import NO_MEMORY, Memory, Place
from inference_node.protocol.signature import Signature, WantedOutput

# Of one model version; a client that makes up new JSON for each request gains nothing by it.
MOST_PREPARED = 256
LONGEST_PREPARED_BYTES = 4096


class BinaryInput(Struct, frozen=True):
    """An input of fixed size and where in the body it lies."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    offset: int


class Prepared(Struct, frozen=True):
    """A valid request without its tensors. `names` are those of `outputs`, `places` where those of
    them go that are wanted in shared memory.

    `layout` says where the tensors are in a body of `body_bytes` bytes; None where that does not
    follow from the JSON.
    """

    request: InferRequest
    outputs: list[WantedOutput]
    names: list[str]
    places: tuple[Place, ...]
    seed: int
    body_bytes: int
    layout: tuple[BinaryInput, ...] | None


def read_infer(
    body: bytes, header_length: int | None, signature: Signature, memory: Memory = NO_MEMORY
) -> tuple[Prepared, Mapping[str, Tensor]]:
    """Return the request in `body` and its tensors, in the order of the model's inputs.

    `header_length` is that of its JSON, None for all of it. Raises RequestErrors as `decode_infer`,
    `input_tensors` and `requested_outputs` do.
    """
    text = b"" if header_length is None else body[:header_length]
    known: Prepared | None = signature.prepared.get(text)
    if known is not None and known.layout is not None and len(body) == known.body_bytes:
        tensors: dict[str, Tensor] = {}
        for place in known.layout:
            tensor: Tensor = np.ndarray(place.shape, place.dtype, body, place.offset)
            tensors[place.name] = tensor if tensor.flags.aligned else tensor.copy()
        return known, tensors
    request = decode_infer(body, header_length)
    inputs = input_tensors(request, signature, memory)
    outputs = requested_outputs(request, signature)
    layout = _layout(request, inputs)
    prepared = Prepared(
        structs.replace(request, body=b""),
        outputs,
        [output.name for output in outputs],
        tuple(output.place for output in outputs if output.place is not None),
        digest_seed(inputs),
        len(body),
        layout,
    )
    if layout is not None and len(text) <= LONGEST_PREPARED_BYTES:
        if len(signature.prepared) >= MOST_PREPARED:
            signature.prepared.clear()
        signature.prepared[text] = prepared
    return prepared, inputs


def _layout(request: InferRequest, inputs: Mapping[str, Tensor]) -> tuple[BinaryInput, ...] | None:
    """Return where the inputs lie, None unless the same JSON means any bytes there."""
    offsets = {}
    for tensor, offset in zip(request.inputs, request.offsets, strict=True):
        if tensor.parameters is None or tensor.parameters.binary_data_size is None:
            return None
        offsets[tensor.name] = offset
    # Of strings the length is in the bytes, and of BOOL not every byte is one.
    if any(tensor.dtype.kind in "Ob" for tensor in inputs.values()):
        return None
    return tuple(
        BinaryInput(name, tensor.dtype, tensor.shape, offsets[name])
        for name, tensor in inputs.items()
    )
