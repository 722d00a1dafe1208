"""The tensors of an infer request, checked against what the model takes."""

from inference_node.errors import InvalidRequestError
from inference_node.models.session import Tensor
from inference_node.protocol.request import InferInput, InferRequest
from inference_node.protocol.shared_memory import NO_MEMORY, Memory
from inference_node.protocol.signature import InputFormat, Signature
from inference_node.protocol.tensor_data import binary_tensor, json_tensor


def input_tensors(
    request: InferRequest, signature: Signature, memory: Memory = NO_MEMORY
) -> dict[str, Tensor]:
    """Return the tensors of `request` in the order of the model's inputs; those that are not in its
    body are in `memory`.

    Raises what `memory` does, and InvalidRequestError, which names the input and what the model
    accepts, for a missing, repeated or unknown input, a wrong datatype or shape, data that do not
    fit, an empty tensor, or inputs that disagree on the number of items.
    """
    given = {
        tensor.name: (tensor, offset)
        for tensor, offset in zip(request.inputs, request.offsets, strict=True)
    }
    if len(given) < len(request.inputs) or given.keys() != signature.inputs.keys():
        raise _wrong_names(request, signature)
    tensors: dict[str, Tensor] = {}
    for name, accepted in signature.inputs.items():
        tensor, offset = given[name]
        if tensor.datatype != accepted.datatype:
            raise InvalidRequestError(
                f"input {name!r} has datatype {tensor.datatype!r}; accepted: {accepted.datatype}"
            )
        _require_shape(tensor, accepted)
        about = tensor.parameters
        place = request.places.get(name)
        if place is not None:
            data = memory.read(place)
            tensors[name] = binary_tensor(
                tensor, accepted, data, 0, len(data), "shared_memory_byte_size"
            )
        elif about is None or about.binary_data_size is None:
            tensors[name] = json_tensor(tensor, accepted)
        else:
            size = about.binary_data_size
            tensors[name] = binary_tensor(tensor, accepted, request.body, offset, size)
    if len(tensors) > 1:
        items = {len(tensor) for tensor in tensors.values()}
        if len(items) > 1:
            raise InvalidRequestError(
                f"inputs hold {sorted(items)} items; accepted: the same number of each"
            )
    return tensors


def _require_shape(given: InferInput, accepted: InputFormat) -> None:
    fits = len(given.shape) == len(accepted.shape)
    if fits:
        for size, wanted in zip(given.shape, accepted.shape, strict=True):
            if size < 1 or (wanted != size and wanted != -1):
                fits = False
    if not fits:
        raise InvalidRequestError(
            f"input {given.name!r} has shape {given.shape}; accepted: {accepted.accepted}"
        )


def _wrong_names(request: InferRequest, signature: Signature) -> InvalidRequestError:
    names = [tensor.name for tensor in request.inputs]
    known = ", ".join(signature.inputs)
    for name in names:
        if name not in signature.inputs:
            return InvalidRequestError(f"unknown input {name!r}; accepted: {known}")
    for name in signature.inputs:
        if name not in names:
            return InvalidRequestError(f"input {name!r} is missing; required: {known}")
    return InvalidRequestError("inputs: a name is given twice")
