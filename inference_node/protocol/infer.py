"""The Open Inference Protocol, version 2, over REST with JSON tensors: both directions."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inference_node.errors import InvalidRequestError
from inference_node.models.repository import Model
from inference_node.models.session import DATATYPES, Tensor, TensorSpec

NUMPY_TYPES: Mapping[str, type[np.generic]] = dict(DATATYPES.values())
# What JSON must hold for numpy's kinds: 1 is no bool, true is no number, 1.5 is no integer.
ELEMENTS: Mapping[str, type] = {"f": float, "i": int, "u": int, "b": bool, "O": str}
NESTED = re.compile(rb"\[\s*\[")


class InferInput(Struct):
    """One input tensor of a request; `data` is flat or nested in row-major order.

    It is decoded once its datatype and shape are known to be what the model takes.
    """

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw


class InferOutput(Struct):
    """A requested output."""

    name: str


class InferRequest(Struct):
    """The body of an infer request."""

    inputs: list[InferInput]
    outputs: list[InferOutput] | None = None
    id: str | None = None


class TensorMetadata(Struct):
    """An input or output in the model's metadata."""

    name: str
    datatype: str
    shape: Sequence[int]


class OutputTensor(Struct):
    """One output tensor of an answer, flat in row-major order."""

    name: str
    shape: Sequence[int]
    datatype: str
    data: list[Any]


class InferResponse(Struct, omit_defaults=True):
    """The body of an answer to an infer request."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None


_decoder = msgspec.json.Decoder(InferRequest)


def decode_request(body: bytes) -> InferRequest:
    """Return the request in `body`; raises InvalidRequestError for anything else."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the body is no infer request: {error}") from error


def input_tensors(request: InferRequest, model: Model) -> dict[str, Tensor]:
    """Return the tensors of `request` in the order of the model's inputs.

    Raises InvalidRequestError, which names the input and what the model accepts, for a missing,
    repeated or unknown input, a wrong datatype or shape, data that do not fit, an empty tensor, or
    inputs that disagree on the number of items.
    """
    given = {tensor.name: tensor for tensor in request.inputs}
    if len(given) < len(request.inputs):
        raise InvalidRequestError("inputs: a name is given twice")
    known = [spec.name for spec in model.session.inputs]
    for name in given:
        if name not in known:
            raise InvalidRequestError(f"unknown input {name!r}; accepted: {', '.join(known)}")
    for name in known:
        if name not in given:
            raise InvalidRequestError(f"input {name!r} is missing; required: {', '.join(known)}")
    tensors = {spec.name: _tensor(given[spec.name], spec) for spec in model.session.inputs}
    items = {len(tensor) for tensor in tensors.values()}
    if len(items) > 1:
        raise InvalidRequestError(
            f"inputs hold {sorted(items)} items; accepted: the same number of each"
        )
    return tensors


def requested_outputs(request: InferRequest, model: Model) -> list[TensorSpec]:
    """Return the outputs that `request` asks for, all when it names none.

    Raises InvalidRequestError for an output that the model has not.
    """
    if not request.outputs:
        return model.session.outputs
    found = []
    for wanted in request.outputs:
        spec = model.output(wanted.name)
        if spec is None:
            known = ", ".join(spec.name for spec in model.session.outputs)
            raise InvalidRequestError(f"unknown output {wanted.name!r}; accepted: {known}")
        found.append(spec)
    return found


def infer_response(
    request: InferRequest, model: Model, outputs: Mapping[str, Tensor], wanted: list[TensorSpec]
) -> InferResponse:
    """Return the answer that carries the `wanted` ones of `outputs`."""
    tensors = [
        OutputTensor(
            spec.name,
            list(outputs[spec.name].shape),
            spec.datatype,
            outputs[spec.name].ravel().tolist(),
        )
        for spec in wanted
    ]
    return InferResponse(model.name, model.version, tensors, request.id)


def model_metadata(model: Model, versions: list[str]) -> dict[str, object]:
    """Return the protocol's model metadata."""

    def described(specs: list[TensorSpec]) -> list[TensorMetadata]:
        return [TensorMetadata(spec.name, spec.datatype, spec.shape) for spec in specs]

    return {
        "name": model.name,
        "versions": versions,
        "platform": "onnxruntime_onnx",
        "inputs": described(model.session.inputs),
        "outputs": described(model.session.outputs),
    }


def _tensor(given: InferInput, spec: TensorSpec) -> Tensor:
    name = f"input {spec.name!r}"
    if given.datatype != spec.datatype:
        raise InvalidRequestError(
            f"{name} has datatype {given.datatype!r}; accepted: {spec.datatype}"
        )
    fits = len(given.shape) == len(spec.shape) and all(
        size >= 1 and accepted in (-1, size)
        for size, accepted in zip(given.shape, spec.shape, strict=True)
    )
    if not fits:
        raise InvalidRequestError(
            f"{name} has shape {given.shape}; accepted: {list(spec.shape)} (-1: at least 1)"
        )
    target = np.dtype(NUMPY_TYPES[spec.datatype])
    nested = NESTED.match(given.data) is not None
    decoder = _data_decoder(ELEMENTS[target.kind], len(given.shape) if nested else 1)
    try:
        values = decoder.decode(given.data)
        with np.errstate(over="raise"):
            data = np.array(values, target)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{name}: data do not fit {spec.datatype}: {error}") from error
    except (OverflowError, FloatingPointError) as error:
        raise InvalidRequestError(f"{name} holds a value outside {spec.datatype}") from error
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


@lru_cache(maxsize=64)
def _data_decoder(element: type, depth: int) -> msgspec.json.Decoder[Any]:
    """Return a strict decoder of lists in lists, `depth` of them, that hold `element`."""
    kind: Any = element
    for _ in range(depth):
        kind = list[kind]
    return msgspec.json.Decoder(kind)
